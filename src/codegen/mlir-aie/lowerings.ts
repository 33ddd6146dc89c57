/** Which nodes become kernels on the array, and what the array declines. */
import { HeddleError, showLoc } from "../../ir/error.ts";
import { topoFrom } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { inputOp, linear as linearOp, normalize, quantize, rmsNorm } from "../../ir/ops/index.ts";
import { showType, staticShape } from "../../ir/type.ts";
import type { AieMachine } from "../../targets/aie-machine.ts";
import { emit } from "./emit.ts";
import type { AieBuffer, AieKernelMaker, AieMatch, ColumnValues, FixedPoint } from "./kernel.ts";
import type { AttentionShape } from "./kernels/attention.ts";
import { attentionKernel } from "./kernels/attention-design.ts";
import { columnsOf } from "./kernels/column-values.ts";
import type { GemmShape } from "./kernels/gemm-shape.ts";
import { linearKernel } from "./kernels/linear.ts";
import { type KernelPlan, showPlan } from "./plan.ts";

/** Plans that were made for a machine, by kernel: layers share them, and planning searches. */
const plans = new WeakMap<AieMachine, Map<string, KernelPlan>>();

function planned(machine: AieMachine, name: string, make: () => KernelPlan): KernelPlan {
  const known = plans.get(machine) ?? new Map<string, KernelPlan>();
  plans.set(machine, known);
  const plan = known.get(name) ?? make();
  known.set(name, plan);
  return plan;
}

/** The comment at the top of a design: the op it was made for, the line it was written in. */
const about = (n: Node): string[] => [
  `${describe(n)} ${n.inputs.map((i) => showType(i.type)).join(", ")} -> ${showType(n.type)}`,
  ...(n.loc ? [`first asked for in ${showLoc(n.loc)}`] : []),
];

/** A kernel, or why the array cannot have it. */
function attempt(make: () => AieMatch): AieMatch | { readonly host: string } {
  try {
    return make();
  } catch (e) {
    if (e instanceof HeddleError) return { host: e.reason };
    throw e;
  }
}

const isWeight = (n: Node | undefined): boolean => !n || topoFrom([n]).every((i) => i.op !== inputOp);

/** What a linear's kernel takes in before the product: the rows, and the norm they go through. */
function rowsOf(x: Node): { readonly rows: Node; readonly norm?: NonNullable<GemmShape["norm"]> } {
  const { eps } = x.attrs as { eps: number };
  if (x.op === normalize) return { rows: x.inputs[0]!, norm: { centred: true, eps } };
  // A scale is part of the weights where a pass has folded it.
  if (x.op === rmsNorm && x.inputs.length === 1) return { rows: x.inputs[0]!, norm: { centred: false, eps } };
  return { rows: x };
}

/** A linear whose weights are known, with a norm before it and an activation after it. */
function product(of: Node, machine: AieMachine, activation?: GemmShape["activation"]) {
  const [x, w, b] = of.inputs as [Node, Node, Node | undefined];
  if (!isWeight(w) || !isWeight(b)) return { host: "its weights are computed at run time" };
  const { rows: operand, norm } = rowsOf(x);
  const rows = staticShape(x.type.shape);
  const [n_, k] = staticShape(w.type.shape) as [number, number];
  if (rows.length !== 2) return { host: `its rows are ${showType(x.type)}, not a matrix` };
  const shape: GemmShape = { m: rows[0]!, k, n: n_, type: "bf16", out: "f32", bias: b !== undefined, activation, norm };
  const name = [
    "linear",
    shape.m,
    k,
    n_,
    ...(b ? ["bias"] : []),
    ...(activation ? ["gelu"] : []),
    ...nameOf(norm),
  ].join("_");
  return attempt(() => {
    const plan = planned(machine, name, () => linearKernel(machine, shape, { name, about: about(of) }));
    // The plan is shared, the bias is not: it is packed with the weights.
    const buffers = b ? plan.buffers.map((buffer) => withColumns(buffer, { bias: b })) : plan.buffers;
    return { kernel: { name, ...textsOf(plan), buffers }, operands: [operand, w] };
  });
}

const nameOf = (norm: GemmShape["norm"]): (string | number)[] =>
  norm ? [norm.centred ? "norm" : "rms", Math.round(norm.eps * 1e9)] : [];

const withColumns = (buffer: AieBuffer, columns: ColumnValues): AieBuffer => {
  const { pack } = buffer;
  return pack ? { ...buffer, pack: (w) => pack(w, columns) } : buffer;
};

export const linear: AieKernelMaker = (n, machine) => product(n, machine);

/** GELU after a linear happens where the sums are. */
export const geluTanh: AieKernelMaker = (n, machine) => {
  const [of] = n.inputs;
  return of!.op === linearOp
    ? product(of!, machine, "geluTanh")
    : { host: "only a linear's result is activated on the array" };
};

/** A product of integers: the host brings rows into fixed point as it places them, the core applies the scales. */
export const quantizedLinear: AieKernelMaker = (n, machine) => {
  const [x, w] = n.inputs as [Node, Node];
  if (n.type.dtype !== "f32") return { host: `its result is ${n.type.dtype}; a kernel's is f32` };
  if (x.op !== quantize) return { host: "its rows are not quantised floats" };
  if (!n.inputs.slice(1).every(isWeight)) return { host: "its weights are computed at run time" };
  const rows = staticShape(x.type.shape);
  if (rows.length !== 2) return { host: `its rows are ${showType(x.type)}, not a matrix` };
  if (x.type.dtype !== "i8" && x.type.dtype !== "u16")
    return { host: `its rows are ${x.type.dtype}; kernels have i8 and u16` };
  const [m, k] = rows as [number, number];
  const type = w.type.dtype === "i4" ? "i4" : "i8";
  const rowBytes = x.type.dtype === "i8" ? 1 : 2;
  const shape: GemmShape = { m, k, n: w.type.shape[0] as number, type, out: "f32", rowBytes, bias: false };
  const name = ["linear", m, k, shape.n, type === "i4" ? "w4" : "w8", rowBytes === 1 ? "a8" : "a16"].join("_");
  return attempt(() => {
    const plan = planned(machine, name, () => linearKernel(machine, shape, { name, about: about(n) }));
    const fixed = x.attrs as unknown as FixedPoint;
    const columns = columnsOf(n);
    const buffers = plan.buffers.map((b) => (b.holds === 0 ? { ...b, fixed } : withColumns(b, columns)));
    return { kernel: { name, ...textsOf(plan), buffers }, operands: [x.inputs[0]!, w] };
  });
};

function attend(n: Node, machine: AieMachine, cached: boolean) {
  const [q, , v] = n.inputs as [Node, Node, Node];
  const [heads, queries, dim] = staticShape(q.type.shape) as [number, number, number];
  const [groups, keys] = staticShape(v.type.shape) as [number, number];
  const { scale, window, causal } = n.attrs as { scale: number; window: number; causal?: boolean };
  if (causal === false) return { host: "only causal attention has a kernel" };
  const shape: AttentionShape = { heads, groups, queries, keys, dim, scale, window, cached };
  // The scale is part of the program; sizes imply it in every usual model.
  const usual = Math.abs(scale * Math.sqrt(dim) - 1) < 1e-6;
  const name = [
    cached ? "cached_attention" : "attention",
    heads, groups, queries, keys, dim,
    ...(window ? ["window", window] : []),
    ...(usual ? [] : ["scale", Math.round(scale * 1e6)]),
  ].join("_"); // biome-ignore format: what a kernel is
  return attempt(() => {
    const plan = planned(machine, name, () => attentionKernel(machine, shape, { name, about: about(n) }));
    return { kernel: { name, ...textsOf(plan), buffers: plan.buffers }, operands: n.inputs };
  });
}

export const attention: AieKernelMaker = (n, machine) => attend(n, machine, false);
export const cachedAttention: AieKernelMaker = (n, machine) => attend(n, machine, true);

type Texts = { readonly text: string; readonly plan: string; readonly seconds: number };
const texts = new WeakMap<KernelPlan, Texts>();
function textsOf(plan: KernelPlan): Texts {
  const known = texts.get(plan) ?? { text: emit(plan.design), plan: showPlan(plan), seconds: plan.cost.seconds };
  texts.set(plan, known);
  return known;
}
