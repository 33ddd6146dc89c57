/** Which nodes become kernels on the array, and what the array declines. */
import { HeddleError, showLoc } from "../../ir/error.ts";
import { topoFrom } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { inputOp, linear as linearOp, normalize, quantize, rmsNorm } from "../../ir/ops/index.ts";
import { isRing } from "../../ir/ops/support/ring.ts";
import { showType, staticShape } from "../../ir/type.ts";
import type { AieMachine } from "../../targets/aie-machine.ts";
import type { AieBuffer, AieKernel, AieKernelMaker, AieMatch, ColumnValues, FixedPoint, KernelPart } from "./kernel.ts";
import { type AttentionShape, planAttention } from "./kernels/attention.ts";
import { columnsOf } from "./kernels/column-values.ts";
import { checkGemm } from "./kernels/gemm.ts";
import type { GemmShape } from "./kernels/gemm-shape.ts";
import { kernelOf } from "./part.ts";

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
  // The bias is this linear's own: it is packed with the weights.
  const dress = (buffer: AieBuffer) => (b ? withColumns(buffer, { bias: b }) : buffer);
  return linearMatch(machine, shape, { name, about: about(of), dress }, [operand, w]);
}

const nameOf = (norm: GemmShape["norm"]): (string | number)[] =>
  norm ? [norm.centred ? "norm" : "rms", Math.round(norm.eps * 1e9)] : [];

const withColumns = (buffer: AieBuffer, columns: ColumnValues): AieBuffer => {
  const { pack } = buffer;
  return pack ? { ...buffer, pack: (w) => pack(w, columns) } : buffer;
};

function linearMatch(
  machine: AieMachine,
  product: GemmShape,
  { name, about, dress }: Pick<AieKernel, "name" | "dress"> & Pick<KernelPart, "about">,
  operands: readonly Node[],
): AieMatch | { readonly host: string } {
  return attempt(() => {
    checkGemm(machine, product);
    const kernel = kernelOf(machine, name, { product, about });
    return { kernel: dress ? { ...kernel, dress } : kernel, operands };
  });
}

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
  const fixed = x.attrs as unknown as FixedPoint;
  const columns = columnsOf(n);
  const dress = (b: AieBuffer) => (b.holds === 0 ? { ...b, fixed } : withColumns(b, columns));
  return linearMatch(machine, shape, { name, about: about(n), dress }, [x.inputs[0]!, w]);
};

function attend(n: Node, machine: AieMachine, cached: boolean) {
  const [q, , v] = n.inputs as [Node, Node, Node];
  const [heads, queries, dim] = staticShape(q.type.shape) as [number, number, number];
  const [groups, keys] = staticShape(v.type.shape) as [number, number];
  const { scale, window: asked, causal } = n.attrs as { scale: number; window: number; causal?: boolean };
  if (causal === false) return { host: "only causal attention has a kernel" };
  // One that no key lies behind is none, so that layers with and without it have one kernel.
  const window = asked >= keys && !(cached && isRing(keys, asked, queries)) ? 0 : asked;
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
    planAttention(machine, shape);
    return { kernel: kernelOf(machine, name, { attention: shape, about: about(n) }), operands: n.inputs };
  });
}

export const attention: AieKernelMaker = (n, machine) => attend(n, machine, false);
export const cachedAttention: AieKernelMaker = (n, machine) => attend(n, machine, true);
