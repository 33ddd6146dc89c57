/** Examples of leaves and of the ops that only move data. */
import * as ir from "../../../src/ir/index.ts";
import { type Example, range } from "./example.ts";

const x23 = () => ir.input("x", "f32", 2, 3);
const six = { x: range(6) };

export const movement: Readonly<Record<string, readonly Example[]>> = {
  input: [{ build: x23, inputs: six, expected: range(6) }],
  param: [
    {
      build: () => ir.param({ name: "h.0.w", dtype: "f32", shape: [2, 2] }),
      inputs: { "h.0.w": [1, 2, 3, 4] },
      expected: [1, 2, 3, 4],
    },
  ],
  constant: [
    { build: () => ir.constant({ dtype: "f32", shape: [2, 2], values: [1, 2, 3, 4] }), expected: [1, 2, 3, 4] },
    {
      case: "one value for all",
      build: () => ir.constant({ dtype: "i32", shape: [3], values: [7] }),
      expected: [7, 7, 7],
    },
  ],
  iota: [{ build: () => ir.iota({ length: 4 }), expected: [0, 1, 2, 3] }],
  rotaryTable: [
    {
      case: "cosines",
      build: () => ir.rotaryTable({ rows: 3, dim: 4, theta: 1e4, factor: 1, sine: false }),
      expected: [1, 1, 0.540302277, 0.999949992, -0.416146845, 0.999800026].map(Math.fround),
    },
    {
      case: "sines",
      build: () => ir.rotaryTable({ rows: 3, dim: 4, theta: 1e4, factor: 1, sine: true }),
      expected: [0, 0, 0.841470957, 0.00999983307, 0.909297407, 0.0199986659].map(Math.fround),
    },
  ],
  reshape: [{ build: () => ir.reshape(x23(), { shape: [3, 2] }), inputs: six, expected: range(6) }],
  transpose: [
    { build: () => ir.transpose(x23(), { perm: [1, 0] }), inputs: six, expected: [0, 3, 1, 4, 2, 5] },
    {
      case: "three axes in a circle",
      build: () => ir.transpose(ir.input("x", "f32", 2, 3, 4), { perm: [2, 0, 1] }),
      inputs: { x: range(24) },
      expected: range(24).map((n) => {
        const [k, i, j] = [Math.floor(n / 6), Math.floor(n / 3) % 2, n % 3];
        return i * 12 + j * 4 + k;
      }),
    },
    {
      case: "first two of three axes",
      build: () => ir.transpose(ir.input("x", "f32", 2, 3, 2), { perm: [1, 0, 2] }),
      inputs: { x: range(12) },
      expected: [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11],
    },
    {
      case: "larger than a tile, ragged",
      build: () => ir.transpose(ir.input("x", "f32", 2, 70, 37), { perm: [0, 2, 1] }),
      inputs: { x: range(5180) },
      expected: range(5180).map((n) => {
        const [i, c, r] = [Math.floor(n / 2590), Math.floor((n % 2590) / 70), n % 70];
        return i * 2590 + r * 37 + c;
      }),
    },
    {
      case: "an axis of one",
      build: () => ir.transpose(ir.input("x", "f32", 1, 3, 2), { perm: [2, 1, 0] }),
      inputs: six,
      expected: [0, 2, 4, 1, 3, 5],
    },
  ],
  slice: [
    { build: () => ir.slice(x23(), { axis: 1, start: 1, size: 2 }), inputs: six, expected: [1, 2, 4, 5] },
    {
      case: "first axis",
      build: () => ir.slice(x23(), { axis: -2, start: 1, size: 1 }),
      inputs: six,
      expected: [3, 4, 5],
    },
  ],
  concat: [
    {
      build: () =>
        ir.concat([x23(), ir.reshape(ir.cast(ir.iota({ length: 3 }), { dtype: "f32" }), { shape: [1, 3] })], {
          axis: 0,
        }),
      inputs: six,
      expected: [...range(6), 0, 1, 2],
    },
  ],
  gather: [
    {
      build: () => ir.gather(ir.input("x", "f32", 3, 2), ir.input("i", "i32", 2)),
      inputs: { x: range(6), i: [2, 0] },
      expected: [4, 5, 0, 1],
    },
    {
      case: "second axis, indices of rank 2",
      build: () => ir.gather(x23(), ir.input("i", "i32", 1, 2), { axis: 1 }),
      inputs: { x: range(6), i: [2, 1] },
      expected: [2, 1, 5, 4],
    },
    {
      case: "an f16 table yields f32",
      build: () => ir.gather(ir.cast(ir.input("x", "f32", 2, 1), { dtype: "f16" }), ir.input("i", "i32", 1)),
      inputs: { x: [1 / 3, 0.1], i: [1] },
      expected: [0.0999755859375],
    },
  ],
  cast: [
    {
      case: "f32 to f16",
      build: () => ir.cast(ir.input("x", "f32", 4), { dtype: "f16" }),
      inputs: { x: [1 / 3, 2049, 65519, 1e-7] },
      expected: [0.333251953125, 2048, 65504, 1.1920928955078125e-7],
    },
    {
      case: "f32 to i8",
      build: () => ir.cast(ir.input("x", "f32", 5), { dtype: "i8" }),
      inputs: { x: [1.9, -1.9, 300, -300, 0.5] },
      expected: [1, -1, 127, -128, 0],
    },
    {
      case: "f32 to u8",
      build: () => ir.cast(ir.input("x", "f32", 3), { dtype: "u8" }),
      inputs: { x: [-4, 254.9, 256] },
      expected: [0, 254, 255],
    },
    {
      case: "to bool",
      build: () => ir.cast(ir.input("x", "f32", 4), { dtype: "bool" }),
      inputs: { x: [0, -0.5, 2, Number.NaN] },
      expected: [0, 1, 1, 1],
    },
    { case: "i32 to f32", build: () => ir.cast(ir.iota({ length: 3 }), { dtype: "f32" }), expected: [0, 1, 2] },
  ],
  kvAppend: [
    {
      case: "rows",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 1, 3, 2), ir.input("s", "f32", 1, 1, 2), ir.input("p", "i32", 1), { axis: 1 }),
      inputs: { c: range(6), s: [10, 11], p: [1] },
      expected: [0, 1, 10, 11, 4, 5],
    },
    {
      case: "columns, beyond the end",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 1, 2, 3), ir.input("s", "f32", 1, 2, 2), ir.input("p", "i32", 1), { axis: 2 }),
      inputs: { c: range(6), s: [10, 11, 12, 13], p: [2] },
      expected: [0, 1, 10, 3, 4, 12],
    },
    {
      case: "round a ring",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 2, 4), ir.input("s", "f32", 2, 2), ir.input("p", "i32", 1), {
          axis: 1,
          window: 3,
        }),
      inputs: { c: range(8), s: [10, 11, 12, 13], p: [7] },
      expected: [11, 1, 2, 10, 13, 5, 6, 12],
    },
    {
      case: "beyond the end of what is too small for a ring",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 1, 4), ir.input("s", "f32", 1, 2), ir.input("p", "i32", 1), {
          axis: 1,
          window: 4,
        }),
      inputs: { c: range(4), s: [10, 11], p: [3] },
      expected: [0, 1, 2, 10],
    },
    {
      case: "full",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 2, 1), ir.input("s", "f32", 1, 1), ir.input("p", "i32", 1), { axis: 0 }),
      inputs: { c: [1, 2], s: [9], p: [2] },
      expected: [1, 2],
    },
    {
      case: "beyond the end by more than a slice",
      build: () =>
        ir.kvAppend(ir.input("c", "f32", 1, 2), ir.input("s", "f32", 1, 1), ir.input("p", "i32", 1), { axis: 1 }),
      inputs: { c: [1, 2], s: [9], p: [7] },
      expected: [1, 2],
    },
  ],
};
