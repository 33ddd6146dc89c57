/** What ONNX (standard ops, opset 17) does with each op of the IR. */
import type { AttrSpec, AttrsOf } from "../../ir/attr.ts";
import type { Node } from "../../ir/node.ts";
import type { Op, Operands } from "../../ir/op.ts";
import * as ops from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import { staticShape } from "../../ir/type.ts";
import type { SupportTable } from "../support.ts";
import type { OnnxBuilder } from "./builder.ts";
import { elementTypeOf } from "./builder.ts";
import type { OnnxAttribute } from "./proto.ts";

export interface OnnxLowering {
  lower(n: Node, b: OnnxBuilder): void;
}

/** One node with the operands as they are. */
const one = (type: string, attrs?: (n: Node) => Readonly<Record<string, OnnxAttribute>>): OnnxLowering => ({
  lower: (n, b) =>
    b.node(
      n,
      type,
      n.inputs.map((i) => b.value(i)),
      attrs?.(n),
    ),
});
const custom = <N extends Operands, S extends AttrSpec>(
  _op: Op<N, S>,
  lower: (n: Node<AttrsOf<S>>, b: OnnxBuilder) => void,
): OnnxLowering => ({ lower: (n, b) => lower(n as Node<AttrsOf<S>>, b) });
const leaf: OnnxLowering = { lower: () => {} };

const axisOf = (n: Node, of: Node = n): number => resolveAxis(n.attrs.axis as number, of.type.shape);
const swapLast = (n: Node): number[] => {
  const axes = [...n.type.shape.keys()];
  const rank = axes.length;
  return [...axes.slice(0, -2), rank - 1, rank - 2];
};

/** An operand of a product with its last two axes swapped: a weight at compile time, anything else by a node. */
function transposed(n: Node, operand: Node, b: OnnxBuilder): string {
  const perm = swapLast(operand);
  if (b.isStatic(operand)) return b.weight(ops.transpose(operand, { perm }));
  return b.step(n, "transposed", "Transpose", [b.value(operand)], { perm });
}

/** A weight in the type of the activations that it meets. Runtimes fold this when they load the model. */
function widened(n: Node, w: Node, b: OnnxBuilder): string {
  if (w.type.dtype === n.type.dtype) return b.value(w);
  return b.step(n, "widened", "Cast", [b.value(w)], { to: elementTypeOf(n) });
}

const fixedPoint = {
  unsupported: "fixed point is not exported to ONNX",
  hint: "export the program in floats, and quantise it with the tools of the runtime it goes to",
};

export const onnxSupport = {
  input: leaf,
  param: leaf,
  constant: leaf,
  iota: leaf,
  rotaryTable: leaf,

  add: one("Add"),
  sub: one("Sub"),
  mul: one("Mul"),
  div: one("Div"),
  maximum: one("Max"),
  less: one("Less"),
  select: one("Where"),
  exp: one("Exp"),
  tanh: one("Tanh"),
  erf: one("Erf"),
  sqrt: one("Sqrt"),
  rsqrt: custom(ops.rsqrt, (n, b) => b.node(n, "Reciprocal", [b.step(n, "sqrt", "Sqrt", [b.value(n.inputs[0]!)])])),
  sin: one("Sin"),
  cos: one("Cos"),
  reduceSum: custom(ops.reduceSum, (n, b) => {
    const x = n.inputs[0]!;
    b.node(n, "ReduceSum", [b.value(x), b.ints([axisOf(n, x)])], { keepdims: n.attrs.keepDims ? 1 : 0 });
  }),
  reduceMax: one("ReduceMax", (n) => ({ axes: [axisOf(n, n.inputs[0]!)], keepdims: n.attrs.keepDims ? 1 : 0 })),
  matmul: custom(ops.matmul, (n, b) => {
    const [x, y] = n.inputs as [Node, Node];
    const { transposeA, transposeB } = n.attrs;
    b.node(n, "MatMul", [transposeA ? transposed(n, x, b) : b.value(x), transposeB ? transposed(n, y, b) : b.value(y)]);
  }),
  reshape: custom(ops.reshape, (n, b) =>
    b.node(n, "Reshape", [b.value(n.inputs[0]!), b.ints(staticShape(n.type.shape))]),
  ),
  transpose: one("Transpose", (n) => ({ perm: n.attrs.perm as readonly number[] })),
  slice: custom(ops.slice, (n, b) => {
    const axis = axisOf(n);
    const { start } = n.attrs;
    const end = start + (n.type.shape[axis] as number);
    b.node(n, "Slice", [b.value(n.inputs[0]!), b.ints([start]), b.ints([end]), b.ints([axis])]);
  }),
  concat: one("Concat", (n) => ({ axis: axisOf(n) })),
  gather: custom(ops.gather, (n, b) => {
    const [data, indices] = n.inputs as [Node, Node];
    const operands = [b.value(data), b.value(indices)];
    const attrs = { axis: axisOf(n, data) };
    if (data.type.dtype === n.type.dtype) b.node(n, "Gather", operands, attrs);
    else b.node(n, "Cast", [b.step(n, "rows", "Gather", operands, attrs)], { to: elementTypeOf(n) });
  }),
  cast: one("Cast", (n) => ({ to: elementTypeOf(n) })),
  kvAppend: {
    unsupported: "an ONNX graph does not write into its inputs",
    hint: "use kvAppend only as the update of a cache that cachedAttention reads, so that the caller can write the new slice",
  },

  quantize: fixedPoint,
  dequantize: fixedPoint,
  requantize: fixedPoint,
  weightScales: fixedPoint,
  blockScales: fixedPoint,
  quantizeWeight: fixedPoint,
  expandBlocks: fixedPoint,
  quantizeBias: fixedPoint,
  toBytes: fixedPoint,
  quantizedLinear: fixedPoint,
  blockQuantizedLinear: fixedPoint,

  // Gemm takes weights [out, in] as they are, so the tied head and the embedding table stay one initializer. ONNX Runtime
  // packs a constant right operand when it loads a model: MatMul with weights [in, out] was measured to run just as fast.
  linear: custom(ops.linear, (n, b) => {
    const [x, w, bias] = n.inputs as [Node, Node, Node?];
    const added = bias ? [widened(n, bias, b)] : [];
    if (n.type.shape.length === 2) return b.node(n, "Gemm", [b.value(x), widened(n, w, b), ...added], { transB: 1 });
    const wide = w.type.dtype === n.type.dtype || !b.isStatic(w) ? w : ops.cast(w, { dtype: n.type.dtype });
    const columns = b.isStatic(w) ? b.weight(ops.transpose(wide, { perm: [1, 0] })) : transposed(n, w, b);
    if (!bias) return b.node(n, "MatMul", [b.value(x), columns]);
    b.node(n, "Add", [b.step(n, "product", "MatMul", [b.value(x), columns]), ...added]);
  }),
  linearAdd: "expand",
  mlp: "expand",
  gatedMlp: "expand",
  layerNorm: one("LayerNormalization", (n) => ({ axis: -1, epsilon: { float: n.attrs.eps as number } })),
  normalize: "expand",
  rmsNorm: "expand",
  gelu: "expand",
  geluTanh: "expand",
  sigmoid: one("Sigmoid"),
  silu: "expand",
  softmax: one("Softmax", (n) => ({ axis: axisOf(n) })),
  rope: "expand",
  splitHeads: "expand",
  mergeHeads: "expand",
  attention: "expand",
  cachedAttention: "expand",
  flashAttention: "expand",
  flashCachedAttention: "expand",
} satisfies SupportTable<OnnxLowering>;
