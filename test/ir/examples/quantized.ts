/** Examples of the ops in fixed point. */
import * as ir from "../../../src/ir/index.ts";
import type { Example } from "./example.ts";

/** Values of 1/4 from -10 on: q = 40 is zero. */
const u8 = { dtype: "u8", scale: 0.25, offset: -40 } as const;
const matrix = () => ir.param({ name: "w", dtype: "f32", shape: [2, 3] });
const layer = () => ({
  x: ir.quantize(ir.input("x", "f32", 2, 3), u8),
  w: ir.cast(matrix(), { dtype: "i8" }),
  scales: ir.constant({ dtype: "f32", shape: [2], values: [0.5, 2] }),
  b: ir.constant({ dtype: "i32", shape: [2], values: [3, -5] }),
});

/** Integers of two rows of 64, from -7 to 7, and scales of their blocks of 32. */
const inBlocks = Array.from({ length: 128 }, (_, i) => ((i * 11) % 15) - 7);
const blocks = () => ({
  w: ir.cast(ir.param({ name: "w", dtype: "f32", shape: [2, 64] }), { dtype: "i4" }),
  blockScales: ir.constant({ dtype: "u8", shape: [2, 2], values: [1, 16, 3, 5] }),
  scales: ir.constant({ dtype: "f32", shape: [2], values: [0.5, 2] }),
});

export const quantized: Readonly<Record<string, readonly Example[]>> = {
  quantize: [
    {
      case: "halves go to the even integer, and what lies outside saturates",
      build: () => ir.quantize(ir.input("x", "f32", 8), u8),
      inputs: { x: [0, 0.125, 0.375, -0.125, -0.375, 1, 1000, -1000] },
      expected: [40, 40, 42, 40, 38, 44, 255, 0],
    },
    {
      case: "16 bits, and infinities",
      build: () => ir.quantize(ir.input("x", "f32", 3), { dtype: "u16", scale: 2 ** -10, offset: -32768 }),
      inputs: { x: [1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] },
      expected: [32768 + 1536, 65535, 0],
    },
    {
      case: "not a number counts as zero",
      build: () => ir.quantize(ir.input("x", "f32", 1), u8),
      inputs: { x: [Number.NaN] },
      expected: [40],
    },
    {
      case: "signed",
      build: () => ir.quantize(ir.input("x", "f32", 3), { dtype: "i8", scale: 0.5, offset: 0 }),
      inputs: { x: [-64, -1.25, 100] },
      expected: [-128, -2, 127],
    },
  ],
  dequantize: [
    {
      build: () => ir.dequantize(ir.quantize(ir.input("x", "f32", 3), u8)),
      inputs: { x: [0.3, -10, 60] },
      expected: [0.25, -10, 53.75],
    },
  ],
  requantize: [
    {
      build: () => ir.requantize(ir.quantize(ir.input("x", "f32", 4), u8), { dtype: "i8", scale: 0.5, offset: 0 }),
      // 0.25 and 0.75 are halfway between steps of 0.5.
      inputs: { x: [0.25, 0.75, -3, 53] },
      expected: [0, 2, -6, 106],
    },
  ],
  weightScales: [
    {
      case: "the largest magnitude of each row is the largest integer",
      build: () => ir.weightScales(matrix(), { bits: 4 }),
      inputs: { w: [1, -14, 3, 0, 0, 0] },
      expected: [2, 1],
    },
    {
      case: "least squared error: all but the outlier are whole",
      build: () => ir.weightScales(ir.param({ name: "w", dtype: "f32", shape: [1, 8] }), { bits: 4, method: "mse" }),
      inputs: { w: [1, -1, 2, 3, -3, 4, -2, 7] },
      expected: [1],
    },
    {
      case: "in blocks a 16th of the largest",
      build: () => ir.weightScales(ir.param({ name: "w", dtype: "f32", shape: [1, 64] }), { bits: 4, blockSize: 32 }),
      inputs: { w: Array.from({ length: 64 }, (_, i) => (i === 40 ? -56 : 1)) },
      expected: [0.5],
    },
    {
      case: "an outlier that does not matter is cut off",
      build: () =>
        ir.weightScales(
          ir.param({ name: "w", dtype: "f32", shape: [1, 4] }),
          ir.constant({ dtype: "f32", shape: [4], values: [1, 1, 1, 0] }),
          { bits: 4, method: "mse" },
        ),
      inputs: { w: [7, -3, 5, 14] },
      expected: [1],
    },
  ],
  quantizeWeight: [
    {
      case: "blocks have scales of their own",
      build: () =>
        ir.quantizeWeight(
          ir.param({ name: "w", dtype: "f32", shape: [1, 64] }),
          ir.constant({ dtype: "f32", shape: [1], values: [0.5] }),
          ir.constant({ dtype: "u8", shape: [1, 2], values: [1, 4] }),
          { bits: 4 },
        ),
      inputs: { w: Array.from({ length: 64 }, (_, i) => i / 4) },
      // Halves to even, 7 at most, in steps of 0.5 and 2.
      expected: Array.from({ length: 64 }, (_, i) => {
        const steps = i < 32 ? i / 2 : i / 8;
        const even = steps % 1 === 0.5 ? 2 * Math.round(steps / 2) : Math.round(steps);
        return Math.min(7, even);
      }),
    },
    {
      build: () =>
        ir.quantizeWeight(matrix(), ir.constant({ dtype: "f32", shape: [2], values: [0.5, 2] }), { bits: 4 }),
      inputs: { w: [0.25, 0.75, -5, 3, 5, 100] },
      expected: [0, 2, -8, 2, 2, 7],
    },
  ],
  blockScales: [
    {
      case: "each block takes the multiple with which its largest weight is 7",
      build: () =>
        ir.blockScales(
          ir.param({ name: "w", dtype: "f32", shape: [1, 64] }),
          ir.constant({ dtype: "f32", shape: [1], values: [0.5] }),
          { blockSize: 32 },
        ),
      // Whole multiples of 1.5 and of 8 (the largest, 16 units).
      inputs: { w: Array.from({ length: 64 }, (_, i) => (i < 32 ? 1.5 : 8) * ((i % 15) - 7)) },
      expected: [3, 16],
    },
  ],
  expandBlocks: [
    {
      build: () => {
        const { w, blockScales } = blocks();
        return ir.expandBlocks(w, blockScales);
      },
      inputs: { w: inBlocks },
      expected: inBlocks.map((q, i) => q * [1, 16, 3, 5][Math.floor(i / 32)]!),
    },
  ],
  blockQuantizedLinear: [
    {
      build: () => {
        const { w, blockScales, scales } = blocks();
        const x = ir.quantize(ir.input("x", "f32", 1, 64), u8);
        const b = ir.constant({ dtype: "i32", shape: [2], values: [3, -5] });
        return ir.blockQuantizedLinear(x, w, scales, blockScales, b, { dtype: "u16", scale: 0.125, offset: -32768 });
      },
      // 4 steps of u8 for all: an element is 4 of the integers.
      inputs: { x: Array(64).fill(1), w: inBlocks },
      expected: [0.5, 2].map((scale, row) => {
        const sum = inBlocks
          .map((q, i) => q * [1, 16, 3, 5][Math.floor(i / 32)]!)
          .slice(64 * row, 64 * row + 64)
          .reduce((a, q) => a + 4 * q, row === 0 ? 3 : -5);
        return 32768 + Math.round((sum * 0.25 * scale) / 0.125);
      }),
    },
    {
      case: "without a bias",
      build: () => {
        const { w, blockScales, scales } = blocks();
        const x = ir.quantize(ir.input("x", "f32", 1, 64), u8);
        return ir.blockQuantizedLinear(x, w, scales, blockScales, { dtype: "u8", scale: 16, offset: -100 });
      },
      inputs: { x: Array.from({ length: 64 }, (_, i) => (i === 0 ? 4 : 0)), w: inBlocks },
      // 4 times the first integer of each row (-7 and 7), the scale of its block (1 and 3) and of its row, in steps of 16: 10.5 to even.
      expected: [100 - 1, 100 + 10],
    },
  ],
  quantizeBias: [
    {
      build: () =>
        ir.quantizeBias(ir.input("b", "f32", 2), ir.constant({ dtype: "f32", shape: [2], values: [0.5, 2] }), {
          xScale: 0.25,
        }),
      inputs: { b: [1, 1e30] },
      expected: [8, 2 ** 31 - 1],
    },
  ],
  toBytes: [
    {
      case: "of integers",
      build: () => ir.toBytes(ir.constant({ dtype: "i32", shape: [2], values: [-2, 0x01_80_7f_00] })),
      inputs: {},
      expected: [-2, -1, -1, -1, 0, 127, -128, 1],
    },
    {
      case: "of floats",
      build: () => ir.toBytes(ir.input("x", "f32", 1)),
      inputs: { x: [1] },
      expected: [0, 0, -128, 63],
    },
  ],
  quantizedLinear: [
    {
      build: () => {
        const { x, w, scales, b } = layer();
        return ir.quantizedLinear(x, w, scales, b, { dtype: "u16", scale: 0.125, offset: -1000 });
      },
      inputs: { x: [1, 2, 3, -1, 0.5, 0], w: [1, -2, 3, 4, 0, -1] },
      // Sums are exact here: 6 and 1 of the first row, 0.25 * 0.5 * 3 and 0.25 * 2 * -5 from the bias.
      expected: [
        1000 + (6 * 0.5 + 0.375) / 0.125,
        1000 + (1 * 2 - 2.5) / 0.125,
        1000 + (-2 * 0.5 + 0.375) / 0.125,
        1000 + (-4 * 2 - 2.5) / 0.125,
      ],
    },
    {
      case: "without a bias, saturated, halves to even",
      build: () => {
        const { x, w, scales } = layer();
        return ir.quantizedLinear(x, w, scales, { dtype: "u8", scale: 2, offset: 0 });
      },
      inputs: { x: [1, 2, 3, 10, 1, 0], w: [1, 0, 0, 40, 0, -1] },
      // 0.25 steps of 2 for the first channel; 37 * 2 / 2 and 400 for the second; 2.5 is halfway.
      expected: [0, 37, 2, 255],
    },
    {
      case: "in floats",
      build: () => {
        const { x, w, scales, b } = layer();
        return ir.quantizedLinear(x, w, scales, b, { dtype: "f32", scale: 1, offset: 0 });
      },
      inputs: { x: [1, 2, 3, -1, 0.5, 0], w: [1, -2, 3, 4, 0, -1] },
      expected: [6 * 0.5 + 0.375, 1 * 2 - 2.5, -2 * 0.5 + 0.375, -4 * 2 - 2.5],
    },
  ],
};
