import { test } from "uvu";
import * as assert from "uvu/assert";
import { forms, nameOf, type Product, programs, published, shapeOf } from "../../../bench/suites/aie-products.ts";
import { arrayBackend } from "../../../src/codegen/mlir-aie/array-backend.ts";
import { memoryBound, throughput, tileThroughput } from "../../../src/codegen/mlir-aie/cost.ts";
import { planGemm, tiles } from "../../../src/codegen/mlir-aie/kernels/gemm.ts";
import { coresBound } from "../../../src/codegen/mlir-aie/kernels/gemm-cost.ts";
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { aieSupport } from "../../../src/codegen/mlir-aie/support.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { loadProgram } from "../../../src/frontend/index.ts";
import { bind } from "../../../src/ir/index.ts";
import { runPasses } from "../../../src/passes/index.ts";
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

/** The planner's choices for products, as shares of the published tile's modelled rate, and of the least of that and of what main memory and cores allow. */
function choices(products: readonly Product[], form: keyof typeof forms) {
  const type = forms[form].type === "bf16" ? "bf16" : "i8";
  const { tile, run } = published[type];
  const peak = tileThroughput(phoenix, type, tile, run);
  return products.flatMap((p) =>
    [512, 1024].map((m) => {
      const shape = shapeOf(m, p, form);
      const share = throughput(planGemm(phoenix, shape).cost) / peak;
      const [memory, cores] = [memoryBound, coresBound].map((bound) => bound(phoenix, shape) / peak) as [
        number,
        number,
      ];
      const least = Math.min(1, memory, cores);
      return { name: `${m}x${nameOf(p)} ${form}`, share, least, ofLeast: share / least };
    }),
  );
}
const ofPrograms = Object.values(programs).flatMap(({ products }) => products);

test("the benchmark's products are those of the compiled programs", async () => {
  for (const { graph: file, config, products } of Object.values(programs)) {
    const { passes, build } = await loadProgram(`graphs/${file}.ts`);
    const { graph, entries } = runPasses(build(config).module, passes).module;
    const entry = entries.find((e) => e.bind.T! > 1)!;
    const backend = arrayBackend(phoenix, aieSupport);
    const { kernels } = backend.plan(backend.legalize(bind(graph, entry.bind, entry.name)), new WeightTable());
    const found = [...kernels.keys()].flatMap((name) => {
      const [is, m, k, n, ...more] = name.split("_");
      return is === "linear" && m !== "1"
        ? [[`${k}x${n}`, ...more.filter((word) => !/^(bias|\d+)$/.test(word))].join(" ")]
        : [];
    });
    const listed = products.map((p) => nameOf(p).replace("norm gelu", "gelu norm"));
    assert.equal([...new Set(found)].sort(), listed.sort(), file);
  }
});

for (const form of ["bf16, result f32", "i8, result i8"] as const)
  test(`every product of the programs with 512 rows and more reaches 90% of the published tile's modelled rate: ${form}`, () => {
    // Norm and GELU of GPT-2 in bf16 included.
    const all = choices(ofPrograms, form);
    assert.is(all.length, 24);
    for (const { name, share } of all) assert.ok(share >= 0.9, `${name}: ${share}`);
  });

for (const form of ["w8a8, result f32", "w4a8, result f32", "w8a16, result f32", "i8, result i32"] as const)
  test(`every product of the programs with 512 rows and more reaches 90% of the least of its bounds, and of that rate where they allow it: ${form}`, () => {
    const all = choices(ofPrograms, form);
    assert.is(all.length, 24);
    for (const { name, share, least, ofLeast } of all) {
      assert.ok(ofLeast >= 0.9, `${name}: ${ofLeast}`);
      if (least === 1) assert.ok(share >= 0.9, `${name}: ${share}`);
    }
  });

test("tiles that break a memory are none", () => {
  assert.is(tiles(phoenix, shape(64, 64, 64), { m: 128, k: 64, n: 128 }, { inPlace: 0 }), undefined);
});

test.run();
