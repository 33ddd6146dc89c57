/** How products are cut among memory tiles and cores: what is kept, sent again and sent in parts, in the simulator of the array. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tiles } from "../../../src/codegen/mlir-aie/kernels/gemm.ts";
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { gemmKernel } from "../../../src/codegen/mlir-aie/kernels/linear.ts";
import { phoenix } from "./kernels.ts";
import { expected, whole } from "./products.ts";
import { random, runKernel } from "./run.ts";

test("memory tiles send operands again that they keep: as exact as read again, with fewer bytes from main memory", () => {
  const [m, k, n] = [250, 64, 190];
  const [left, right] = [whole(random([m, k], 8), 127), whole(random([n, k], 9), 127)];
  const shape: GemmShape = { m, k, n, type: "i8", out: "i32", bias: false };
  const answer = Float32Array.from(expected(shape, left.data, right.data, undefined));
  const read: number[] = [];
  for (const [a, b] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ] as const) {
    const g = tiles(phoenix, shape, { m: 16, k: 32, n: 16 }, { inPlace: 2, keep: { a, b } })!;
    assert.equal(g.across, { m: 4, n: 3 });
    assert.equal(g.sends, { a: a ? 3 : 1, b: b ? 4 : 1 });
    const { out, report } = runKernel(gemmKernel(phoenix, g, { name: "linear", about: [] }), [left, right], [m, n]);
    assert.equal(out, answer, `A kept: ${a}, B kept: ${b}`);
    assert.is(report.ddr.readBytes + report.ddr.writtenBytes, g.cost.bytes);
    read.push(report.ddr.readBytes);
  }
  const [rows, weights] = [256 * k, k * 192];
  assert.equal(read, [3 * rows + 4 * weights, rows + 4 * weights, 3 * rows + weights, rows + weights]);
});

test("a memory tile that keeps rows in one buffer has descriptors for twice as many times", () => {
  const [m, k, n] = [130, 64, 1000];
  const [left, right] = [whole(random([m, k], 8), 127), whole(random([n, k], 9), 127)];
  const shape: GemmShape = { m, k, n, type: "i8", out: "i32", bias: false };
  const answer = Float32Array.from(expected(shape, left.data, right.data, undefined));
  for (const [single, sends] of [
    [false, 8],
    [true, 16],
  ] as const) {
    const keep = { a: true, b: false, single };
    const g = tiles(phoenix, shape, { m: 16, k: 32, n: 16 }, { inPlace: 2, keep })!;
    assert.equal([g.across.n, g.sends.a], [16, sends]);
    const { out, report } = runKernel(gemmKernel(phoenix, g, { name: "linear", about: [] }), [left, right], [m, n]);
    assert.equal(out, answer);
    assert.is(report.ddr.readBytes + report.ddr.writtenBytes, g.cost.bytes);
  }
});

test("results leave in parts of a tile's rows, in one step of K and in more, as exact as all at once", () => {
  const [m, k, n] = [390, 128, 130];
  const [left, right] = [whole(random([m, k], 8), 127), whole(random([n, k], 9), 127)];
  const shape: GemmShape = { m, k, n, type: "i8", out: "i32", bias: false };
  const answer = Float32Array.from(expected(shape, left.data, right.data, undefined));
  for (const [parts, rows, depth] of [
    [2, 16, 128],
    [3, 48, 64],
    [4, 64, 32],
  ] as const) {
    const g = tiles(phoenix, shape, { m: rows, k: depth, n: 16 }, { inPlace: 1, parts })!;
    assert.equal([g.pieces, g.strip * parts, g.chunks], [parts, rows, k / depth]);
    const { out } = runKernel(gemmKernel(phoenix, g, { name: "linear", about: [] }), [left, right], [m, n]);
    assert.equal(out, answer, `${parts} parts`);
  }
});

test.run();
