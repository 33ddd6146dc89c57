/**
 * Core bodies and whole designs before MLIR's own tools: mlir-opt parses and verifies them and lowers the bodies to LLVM, and
 * mlir-runner computes with them what the simulator computed, bit for bit.
 */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { emit } from "../../../src/codegen/mlir-aie/emit.ts";
import { attentionOf } from "../../../src/codegen/mlir-aie/kernels/attention-design.ts";
import { planAttentions } from "../../../src/codegen/mlir-aie/kernels/attention-family.ts";
import { besideAttention } from "../../../src/codegen/mlir-aie/kernels/band.ts";
import { planFamily } from "../../../src/codegen/mlir-aie/kernels/gemm-family.ts";
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { gemmKernel } from "../../../src/codegen/mlir-aie/kernels/linear.ts";
import type { KernelPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { genericModule } from "../../../src/runtime/aie-sim/extract.ts";
import { type Design, loadDesign } from "../../../src/runtime/aie-sim/index.ts";
import { parseModule } from "../../../src/runtime/aie-sim/mlir/parse.ts";
import { bytesOf, showType } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { phoenix, realKernels, scaledShapes, tinyKernels } from "../../codegen/mlir-aie/kernels.ts";
import { buffersFor, packed, random } from "../../codegen/mlir-aie/run.ts";
import { haveMlir, mlirOpt } from "../../support/mlir-tools.ts";
import { compare, noise } from "./mlir-core.ts";

const here = haveMlir() ? test : test.skip;

/** Contents of the host's buffers. A position is the bits of an integer. */
const contents = (design: Design): ArrayBufferView[] =>
  design.host.args.map(({ name, type }, i) =>
    name === "%position"
      ? new Uint16Array(bytesOf(type) / 2).fill(20, 0, 1)
      : noise(bytesOf(type), i + 1, showType(type.element)),
  );

/** With scales that are floats: made-up bytes would be anything. */
function scaledContents(design: Design, plan: KernelPlan, { type, k, n, rowBytes = 1 }: GemmShape): ArrayBufferView[] {
  const most = type === "i4" ? 7 : 127;
  const whole = (seed: number, limit: number, ...shape: number[]) => ({
    shape,
    data: Int32Array.from(random(shape, seed).data, (x) => Math.round(x * limit)),
  });
  // Sums of the second half of the columns are large.
  const size = (column: number) => (column < n / 2 ? 2 ** 20 : 2 ** 28);
  const starts = [1, 2].slice(0, rowBytes).map((seed) => ({
    shape: [n],
    data: Int32Array.from(random([n], seed).data, (x, i) => Math.round(x * size(i))),
  }));
  const largest = { shape: [n], data: Float32Array.from({ length: n }, (_, i) => 4 * size(i)) };
  const bytes = packed(plan.buffers[1]!, whole(3, most, n, k), { starts, scales: random([n], 4), largest });
  return contents(design).map((c, i) => (i === 1 ? Int8Array.from(bytes) : c));
}

function contentsFor(design: Design, plan: KernelPlan): ArrayBufferView[] {
  const scaled = scaledShapes.get(plan);
  return scaled ? scaledContents(design, plan, scaled) : contents(design);
}

here("one core of bf16 products", () => {
  const file = "test/golden/aie-sim/gemm.mlir";
  const design = loadDesign(readFileSync(file, "utf8"), { file });
  assert.is(compare(design, contents(design)), 1);
});

for (const [name, make] of Object.entries(tinyKernels))
  here(`kernel ${name}: cores, and the whole file in generic form`, () => {
    const plan = make();
    const text = emit(plan.design);
    const design = loadDesign(text, { file: `${name}.mlir` });
    assert.ok(compare(design, contentsFor(design, plan)) >= 1);
    const printed = mlirOpt(genericModule(parseModule(text, name)), "--allow-unregistered-dialect");
    assert.match(printed, '"aie.device"');
    assert.match(printed, '"aie.objectfifo"');
  });

here("cores of products that share them, for each kind of them", () => {
  const norm = { centred: true, eps: 1e-5 };
  const kinds = [
    { k: 64, n: 192, bias: true, norm, activation: "geluTanh" },
    { k: 64, n: 64, bias: true, norm, activation: undefined },
    { k: 192, n: 64, bias: true, norm: undefined, activation: undefined },
    { k: 64, n: 64, bias: false, norm: undefined, activation: undefined },
  ] as const;
  for (const m of [1, 24]) {
    const shapes = kinds.map((kind) => ({ m, type: "bf16", out: "f32", ...kind }) as const);
    const { machine } = besideAttention(phoenix)!;
    const plans = planFamily(
      machine,
      shapes.map((shape) => ({ shape, runs: 1 })),
    )!;
    for (const plan of plans) {
      const { m, k, n } = plan;
      const { design, buffers } = gemmKernel(machine, plan, { name: "shared", about: [] });
      const arrays = buffersFor(buffers, [random([m, k], 1), random([n, k], 2)], { bias: random([n], 3) });
      const loaded = loadDesign(emit(design), { file: "shared.mlir" });
      // The endless loop goes from tile to tile.
      assert.ok(compare(loaded, arrays, plan.tiles) >= 1);
    }
  }
});

here("cores of attention that share them, with a window and without one", () => {
  const shape = { heads: 4, groups: 2, queries: 1, dim: 32, scale: 0.2, cached: true };
  const shapes = [
    { ...shape, keys: 128, window: 0 },
    { ...shape, keys: 64, window: 48 },
  ];
  const plans = planAttentions(
    phoenix,
    shapes.map((shape) => ({ shape, runs: 1 })),
  )!;
  for (const plan of plans) {
    const { design, buffers } = attentionOf(phoenix, plan, { name: "shared", about: [] });
    const heads = [random([4, 1, 32], 1), random([2, 32, plan.keys], 2), random([2, plan.keys, 32], 3)];
    const arrays = buffersFor(buffers, [...heads, { shape: [1], data: Int32Array.of(100) }]);
    assert.ok(compare(loadDesign(emit(design), { file: "shared.mlir" }), arrays) >= 1);
  }
});

for (const [name, make] of Object.entries(realKernels))
  here(`GPT-2 124M, ${name}: a core`, () => {
    const plan = make();
    const design = loadDesign(emit(plan.design), { file: `${plan.name}.mlir` });
    assert.ok(compare(design, contentsFor(design, plan)) >= 1);
  });

test.run();
