import { test } from "uvu";
import * as assert from "uvu/assert";
import { forms, products, published } from "../../../bench/suites/aie.ts";
import { memoryBound, throughput, tileThroughput } from "../../../src/codegen/mlir-aie/cost.ts";
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

/** The planner's choices for every product of the benchmark's list, as shares of the published tile's modelled rate. */
const choices = (form: keyof typeof forms) => {
  const { type } = forms[form];
  const { tile, run } = published[type];
  const peak = tileThroughput(phoenix, type, tile, run);
  return Object.values(products).flatMap((sizes) =>
    sizes.flatMap(([k, n]) =>
      [512, 1024].map((m) => {
        const s = { m, k, n, ...forms[form] };
        const { cost } = planGemm(phoenix, s);
        const whole = (2 * cost.macs) / (cost.seconds - phoenix.dispatchSeconds) / peak;
        const bound = memoryBound(phoenix, s) / peak;
        return { name: `${m}x${k}x${n} ${form}`, share: throughput(cost) / peak, whole, bound };
      }),
    ),
  );
};

for (const form of ["bf16, result f32", "bf16, result bf16"] as const)
  test(`products of GPT-2 and Gemma with 512 rows and more reach 90% of the published tile's modelled rate: ${form}`, () => {
    // Sums in f32, and the wait for the first operands counted.
    const all = choices(form);
    assert.is(all.length, 32);
    for (const { name, whole } of all) assert.ok(whole >= 0.9, `${name}: ${whole}`);
  });

test("int8 products with results in int8 do so but for three small ones of Gemma's keys and values", () => {
  const small = ["512x640x256", "1024x640x256", "512x1152x256"].map((name) => `${name} i8, result i8`);
  const slow = choices("i8, result i8").filter(({ share }) => share < 0.9);
  assert.equal(
    slow.map(({ name }) => name),
    small,
  );
  for (const { name, share } of slow) assert.ok(share >= 0.8, `${name}: ${share}`);
});

test("int8 products with results in int32: GPT-2's do so, Gemma's, with four bytes for every sum, reach 80% of what main memory allows", () => {
  const all = choices("i8, result i32");
  for (const [i, { name, share, bound }] of all.entries()) {
    const least = i < 2 * products["gpt2 124m"]!.length ? 0.9 : Math.min(0.9, 0.8 * Math.min(1, bound));
    assert.ok(share >= least, `${name}: ${share} of ${bound}`);
  }
});

test("tiles that break a memory are none", () => {
  assert.is(tiles(phoenix, shape(64, 64, 64), [4, 8, 4], "grid", { m: 128, k: 64, n: 128 }), undefined);
});

test.run();
