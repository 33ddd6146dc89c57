/** Kernels on tiny shapes, one of each kind: what goldens show and the simulator runs. */
import { attentionKernel } from "../../../src/codegen/mlir-aie/kernels/attention-design.ts";
import { type GemmShape, isScaled } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { linearKernel } from "../../../src/codegen/mlir-aie/kernels/linear.ts";
import { rowKernel } from "../../../src/codegen/mlir-aie/kernels/rows.ts";
import type { KernelPlan } from "../../../src/codegen/mlir-aie/plan.ts";
import { aieMachine } from "../../../src/targets/aie-machine.ts";

export const phoenix = aieMachine("npu1")!;
export const strix = aieMachine("npu2")!;

/** Of kernels of integers whose scales travel with the weights: what the weights must be made from. */
export const scaledShapes = new WeakMap<KernelPlan, GemmShape>();

function product(shape: GemmShape, name: string): KernelPlan {
  const plan = linearKernel(phoenix, shape, { name, about: [] });
  if (isScaled(shape)) scaledShapes.set(plan, shape);
  return plan;
}

export const tinyKernels: Readonly<Record<string, () => KernelPlan>> = {
  "linear-grid": () =>
    linearKernel(
      phoenix,
      { m: 30, k: 64, n: 60, type: "bf16", out: "bf16", bias: true, activation: "geluTanh" },
      { name: "linear_grid", about: [] },
    ),
  "linear-skinny": () =>
    linearKernel(
      phoenix,
      { m: 1, k: 64, n: 192, type: "bf16", out: "f32", bias: true },
      { name: "linear_skinny", about: [] },
    ),
  "linear-norm": () =>
    linearKernel(
      phoenix,
      { m: 8, k: 64, n: 64, type: "bf16", out: "f32", bias: true, norm: { centred: true, eps: 1e-5 } },
      { name: "linear_norm", about: [] },
    ),
  "linear-i8": () =>
    linearKernel(
      phoenix,
      { m: 32, k: 64, n: 64, type: "i8", out: "i32", bias: false },
      { name: "linear_i8", about: [] },
    ),
  "linear-i8-narrow": () =>
    linearKernel(
      phoenix,
      { m: 32, k: 64, n: 64, type: "i8", out: "i8", shift: 7, bias: false },
      { name: "linear_i8_narrow", about: [] },
    ),
  "linear-i4": () =>
    linearKernel(
      phoenix,
      { m: 1, k: 64, n: 128, type: "i4", out: "i32", bias: false },
      { name: "linear_i4", about: [] },
    ),
  "linear-i8-scaled": () => product({ m: 32, k: 64, n: 64, type: "i8", out: "f32", bias: false }, "linear_i8_scaled"),
  "linear-i8-parts": () =>
    product({ m: 128, k: 256, n: 128, type: "i8", out: "f32", rowBytes: 2, bias: false }, "linear_i8_parts"),
  "linear-i4-scaled": () =>
    product({ m: 1, k: 64, n: 128, type: "i4", out: "f32", rowBytes: 2, bias: false }, "linear_i4_scaled"),
  "attention-prefill": () =>
    attentionKernel(
      phoenix,
      { heads: 2, groups: 2, queries: 24, keys: 24, dim: 32, scale: 0.25, window: 0, cached: false },
      { name: "attention_prefill", about: [] },
    ),
  "attention-decode": () =>
    attentionKernel(
      phoenix,
      { heads: 4, groups: 2, queries: 1, keys: 64, dim: 32, scale: 0.25, window: 0, cached: true },
      { name: "attention_decode", about: [] },
    ),
  "attention-npu2": () =>
    attentionKernel(
      strix,
      { heads: 4, groups: 2, queries: 24, keys: 24, dim: 32, scale: 0.25, window: 0, cached: false },
      { name: "attention_npu2", about: [] },
    ),
  "linear-norm-npu2": () =>
    linearKernel(
      strix,
      {
        m: 8,
        k: 64,
        n: 64,
        type: "bf16",
        out: "f32",
        bias: true,
        norm: { centred: true, eps: 1e-5 },
        activation: "geluTanh",
      },
      { name: "linear_norm_npu2", about: [] },
    ),
  "layer-norm": () =>
    rowKernel(phoenix, { op: "layerNorm", rows: 6, width: 64, eps: 1e-5 }, { name: "layer_norm", about: [] }),
  rope: () => rowKernel(phoenix, { op: "rope", rows: 8, width: 128, dim: 64 }, { name: "rope", about: [] }),
};

/** Kernels of GPT-2 124M as its programs have them. */
export const realKernels: Readonly<Record<string, () => KernelPlan>> = {
  "linear of a decode step": () => linear124(1, { type: "bf16", bias: true }),
  "norm, linear and GELU of 128 rows": () =>
    linear124(128, { type: "bf16", bias: true, norm: { centred: true, eps: 1e-5 }, activation: "geluTanh" }),
  "w8a16 linear of a decode step": () => linear124(1, { type: "i8", rowBytes: 2, bias: false }),
  "w4a8 linear of 128 rows": () => linear124(128, { type: "i4", bias: false }),
  "attention of 128 queries": () => attention124(128, 128, false),
  "attention of a decode step at 512": () => attention124(1, 512, true),
};

const linear124 = (m: number, more: Pick<GemmShape, "type" | "bias"> & Partial<GemmShape>) =>
  product({ m, k: 768, n: 768, out: "f32", ...more }, "linear_124m");

const attention124 = (queries: number, keys: number, cached: boolean) =>
  attentionKernel(
    phoenix,
    { heads: 12, groups: 12, queries, keys, dim: 64, scale: 0.125, window: 0, cached },
    { name: "attention_124m", about: [] },
  );
