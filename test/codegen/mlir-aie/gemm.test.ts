import { test } from "uvu";
import * as assert from "uvu/assert";
import { throughput } from "../../../src/codegen/mlir-aie/cost.ts";
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
    /a bias is added in bf16 products only/,
  );
});

test("planning a layer takes little time, and a large product uses the array", () => {
  const g = planGemm(phoenix, shape(512, 768, 3072));
  assert.ok(throughput(g.cost) > 2.5e12);
  assert.is(tiles(phoenix, shape(64, 64, 64), [4, 8, 4], "grid", { m: 128, k: 64, n: 128 }), undefined);
});

test.run();
