/** The planner's time model and the simulator's cycles say the same of the same designs, and of a core what was measured on one. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { type AttentionShape, planAttention } from "../../../src/codegen/mlir-aie/kernels/attention.ts";
import { attentionKernel, attentionOf } from "../../../src/codegen/mlir-aie/kernels/attention-design.ts";
import { besideAttention } from "../../../src/codegen/mlir-aie/kernels/band.ts";
import { tiles } from "../../../src/codegen/mlir-aie/kernels/gemm.ts";
import { planFamily } from "../../../src/codegen/mlir-aie/kernels/gemm-family.ts";
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { gemmKernel, linearKernel } from "../../../src/codegen/mlir-aie/kernels/linear.ts";
import type { KernelPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { constant } from "../../../src/ir/index.ts";
import { loadDesign, type Report, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { bytesOf } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { phoenix } from "./kernels.ts";
import { buffersFor } from "./run.ts";

/** Runs a design on zeros. @param position of the first query, of attention over a cache. */
function run(plan: KernelPlan, position?: number): Report {
  const design = loadDesign(emit(plan.design), { file: `${plan.name}.mlir` });
  const buffers = design.host.args.map(({ type }) => new Uint8Array(bytesOf(type)));
  if (position !== undefined) new Int16Array(buffers.at(-1)!.buffer)[0] = position;
  return simulate(design, buffers);
}

const as = { name: "design", about: [] };
const linear = (m: number, k: number, n: number, more: Partial<GemmShape>): KernelPlan =>
  linearKernel(phoenix, { m, k, n, type: "bf16", out: "f32", bias: false, ...more }, as);
const attention = (shape: Omit<AttentionShape, "scale" | "window">): KernelPlan =>
  attentionKernel(phoenix, { ...shape, scale: 1 / Math.sqrt(shape.dim), window: 0 }, as);

const norm = { centred: true, eps: 1e-5 };
const i8 = { type: "i8", shift: 9 } as const;
const heads = { heads: 4, groups: 4, dim: 64 };
const designs: Readonly<Record<string, () => readonly [KernelPlan, number?]>> = {
  "a product in bf16": () => [linear(256, 512, 512, { bias: true })],
  "a product with few columns": () => [linear(512, 640, 256, {})],
  "a product with norm and GELU": () => [linear(128, 256, 768, { bias: true, norm, activation: "geluTanh" })],
  "a product of int8 into int8": () => [linear(512, 640, 256, { ...i8, out: "i8" })],
  "a product of int8 into int32": () => [linear(256, 640, 512, { ...i8, out: "i32" })],
  "a product of int8 into floats": () => [linear(256, 640, 512, { ...i8, out: "f32" })],
  "a product of int8 with 16-bit rows": () => [linear(128, 256, 512, { type: "i8", out: "f32", rowBytes: 2 })],
  "a product of int4 with large tiles": () => [linear(512, 512, 512, { type: "i4", out: "f32" })],
  "a product of one row": () => [linear(1, 768, 2304, { bias: true, norm })],
  "a product of one row of int8": () => [linear(1, 640, 4096, { ...i8, out: "i32" })],
  "a product of one row with int4": () => [linear(1, 640, 4096, { type: "i4", out: "f32" })],
  "attention of a prompt": () => [attention({ ...heads, queries: 128, keys: 128, cached: false })],
  "attention of a prompt over a cache": () => [attention({ ...heads, queries: 128, keys: 256, cached: true }), 128],
  "attention of a token": () => [attention({ ...heads, queries: 1, keys: 512, cached: true }), 511],
  "attention of a token, heads of 256": () => [
    attention({ heads: 4, groups: 1, dim: 256, queries: 1, keys: 512, cached: true }),
    511,
  ],
};

for (const [name, design] of Object.entries(designs))
  test(`${name}: modelled and simulated time are within 20%`, () => {
    const [plan, position] = design();
    isNear(name, plan, run(plan, position).seconds);
  });

function isNear(name: string, plan: KernelPlan, seconds: number): void {
  const [modelled, simulated] = [plan.cost.seconds, seconds].map((s) => (s - phoenix.dispatchSeconds) * 1e6);
  const ratio = simulated! / modelled!;
  const text = `${name}: ${simulated!.toFixed(1)} us simulated, ${modelled!.toFixed(1)} us modelled`;
  assert.ok(ratio > 0.8 && ratio < 1.2, text);
}

test("kernels that share an array: modelled and simulated time are within 20%", () => {
  const { machine, band } = besideAttention(phoenix)!;
  const members = (m: number) =>
    [
      { k: 256, n: 768, norm, activation: "geluTanh" },
      { k: 768, n: 512, norm: undefined, activation: undefined },
    ].map((more) => ({
      shape: { m, type: "bf16", out: "f32", bias: true, ...more } as GemmShape,
      runs: 1,
    }));
  const products = [128, 1].flatMap((m) => planFamily(machine, members(m))!);
  for (const plan of products) {
    const kernel = gemmKernel(machine, plan, as);
    const zeros = (...shape: number[]) => constant({ dtype: "f32", shape, values: [0] });
    const buffers = buffersFor(
      kernel.buffers.map((b) =>
        b.pack ? { ...b, pack: () => b.pack!(zeros(plan.n, plan.k), { bias: zeros(plan.n) }) } : b,
      ),
      [plan.m * plan.k, 1].map((size) => ({ shape: [size], data: new Float32Array(size) })),
    );
    const { seconds } = simulate(loadDesign(emit(kernel.design), { file: "shared.mlir" }), buffers);
    isNear(`${plan.m}x${plan.k}x${plan.n}`, kernel, seconds);
  }
  for (const [queries, keys, position] of [
    [128, 256, 128],
    [1, 512, 511],
  ] as const) {
    const shape = { ...heads, queries, keys, scale: 0.125, window: 0, cached: true };
    const kernel = attentionOf(phoenix, planAttention(phoenix, shape, band), as);
    isNear(`attention of ${queries}`, kernel, run(kernel, position).seconds);
  }
});

for (const [type, out, tile, published] of [
  ["bf16", "f32", { m: 64, k: 104, n: 64 }, 112.6],
  ["i8", "i32", { m: 64, k: 232, n: 64 }, 233],
] as const)
  test(`a simulated core multiplies ${type} within 6% of the rate that was measured on one (arXiv 2512.13282)`, () => {
    const shape = { m: 4 * tile.m, k: 4 * tile.k, n: 4 * tile.n, type, out, bias: false } as const;
    const plan = gemmKernel(phoenix, tiles(phoenix, shape, tile, { inPlace: 1 })!, as);
    const rate = (tile.m * shape.k * tile.n) / Math.max(...run(plan).tiles.map(({ busy }) => busy));
    assert.ok(Math.abs(rate / published - 1) < 0.06, `${rate.toFixed(1)} of ${published} multiply-adds per cycle`);
  });

test.run();
