/** One core that multiplies: the whole way from text to numbers. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";

const file = "test/golden/aie-sim/gemm.mlir";
const text = readFileSync(file, "utf8");

/** Numbers that bf16 holds exactly. */
const numbers = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => (((i * step) % 13) - 6) / 8);
const bf16 = (values: Float32Array): Uint16Array =>
  Uint16Array.from(new Uint32Array(values.slice().buffer), (u) => u >>> 16);

test("a GEMM of exact numbers is exact, and its costs are modelled", () => {
  const design = loadDesign(text, { file });
  const [a, b] = [numbers(256, 7), numbers(256, 5)];
  const c = new Float32Array(16);
  const report = simulate(design, [bf16(a), bf16(b), c]);
  const expected = Float32Array.from({ length: 16 }, (_, i) => {
    let sum = 0;
    for (let t = 0; t < 8; t++)
      for (let k = 0; k < 8; k++) sum += a[t * 32 + Math.floor(i / 4) * 8 + k]! * b[t * 32 + k * 4 + (i % 4)]!;
    return sum;
  });
  assert.equal(c, expected);
  assert.is(report.source, "modelled");
  assert.equal(report.ddr, { readBytes: 1024, writtenBytes: 64 });
  assert.is(report.tiles[0]!.tile, "(0, 2)");
  assert.ok(report.cycles > 100 && report.cycles < 1000, `${report.cycles} cycles`);
});

test("a design runs again from its beginning", () => {
  const design = loadDesign(text, { file });
  const run = () => {
    const c = new Float32Array(16);
    return [simulate(design, [bf16(numbers(256, 3)), bf16(numbers(256, 4)), c]), c];
  };
  assert.equal(run(), run());
});

test("buffers that do not fit are refused", () => {
  const design = loadDesign(text, { file });
  const [a, b] = [new Uint16Array(256), new Uint16Array(255)];
  assert.throws(
    () => simulate(design, [a, b, new Float32Array(16)]),
    /argument %B \(memref<256xbf16>\): has 512 bytes, but the buffer has 510/,
  );
  assert.throws(() => simulate(design, [a, a]), /argument %C \(memref<16xf32>\): is missing/);
});

test.run();
