import { test } from "uvu";
import * as assert from "uvu/assert";
import { throughput, tileThroughput } from "../../../src/codegen/mlir-aie/cost.ts";
import { type GemmShape, planGemm, tiles } from "../../../src/codegen/mlir-aie/kernels/gemm.ts";
import { aieMachine } from "../../../src/targets/aie-machine.ts";
import { phoenix } from "./kernels.ts";

const shape = (m: number, k: number, n: number, more: Partial<GemmShape> = {}): GemmShape => ({
  m,
  k,
  n,
  type: "bf16",
  out: "bf16",
  bias: false,
  ...more,
});

test("tiles fit the memories of the array, and K and N are covered", () => {
  for (const s of [shape(128, 768, 2304), shape(1, 3072, 768), shape(512, 640, 2048), shape(7, 64, 50)])
    for (const machine of [phoenix, aieMachine("npu2")!]) {
      const g = planGemm(machine, s);
      assert.ok(g.memory.core <= machine.tiles.compute.memoryBytes, "core");
      assert.ok(g.memory.tile <= machine.tiles.memory.memoryBytes, "memory tile");
      assert.is(g.tile.k * g.chunks, s.k);
      assert.ok(g.padded.m >= s.m && g.padded.n >= s.n);
    }
});

test("products that the matrix unit cannot do are refused", () => {
  assert.throws(
    () => planGemm(phoenix, shape(8, 60, 64)),
    /gemm 8x60x64 bf16: K = 60 is not a multiple of 8, the depth of the matrix unit\n {2}try: pad the inner size/,
  );
  assert.throws(
    () => planGemm(phoenix, shape(8, 64, 64, { type: "i8", out: "i32", bias: true })),
    /a bias or a norm is part of bf16 products only/,
  );
});

test("the time model is within 15% of published rates of the array at 1 GHz (arXiv 2512.13282)", () => {
  // Calibrated on one core and on rates of main memory, not on these.
  for (const [type, size, rate] of [
    ["i8", [112, 112, 112], 6.76e12],
    ["bf16", [96, 56, 96], 3.14e12],
  ] as const) {
    const [m, k, n] = size;
    const modelled = tileThroughput(phoenix, type, { m, k, n }, 448);
    assert.ok(Math.abs(modelled / rate - 1) < 0.15, `${type}: ${modelled / 1e12} of ${rate / 1e12} TOPS`);
  }
});

test("products of GPT-2 and Gemma with 512 rows and more reach 90% of the published tile's modelled rate", () => {
  const peak = tileThroughput(phoenix, "bf16", { m: 96, k: 56, n: 96 }, 448);
  for (const [k, n] of [
    [768, 2304],
    [768, 768],
    [768, 3072],
    [3072, 768],
    [640, 2048],
    [2048, 640],
    [1152, 6912],
    [6912, 1152],
  ] as const)
    for (const m of [512, 1024]) {
      const share = throughput(planGemm(phoenix, shape(m, k, n, { bias: true, sums: "bf16" })).cost) / peak;
      assert.ok(share >= 0.9, `${m}x${k}x${n}: ${share}`);
    }
});

test("tiles that break a memory are none", () => {
  assert.is(tiles(phoenix, shape(64, 64, 64), [4, 8, 4], "grid", { m: 128, k: 64, n: 128 }), undefined);
});

test.run();
