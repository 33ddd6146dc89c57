/** What package `qti.aisw`, Qualcomm's own ops, does with each op of the IR. */
import { type Node, renamed } from "../../ir/node.ts";
import * as ops from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import { bitsOf, elements, staticShape } from "../../ir/type.ts";
import type { SupportTable } from "../support.ts";
import type { Builder } from "./builder.ts";
import { custom, leaf, type QnnLowering, qti } from "./lowering.ts";
import { bool, f32, i32, i32Rows, u32, u32s } from "./params.ts";

const reduceParams = ({ axis, keepDims }: { axis: number; keepDims: boolean }, rank: readonly unknown[]) => [
  u32s("axes", [axis < 0 ? axis + rank.length : axis]),
  bool("keep_dims", keepDims),
];
const lastAxis = (rank: readonly unknown[]) => u32s("axes", [rank.length - 1]);

const ofWeights = {
  unsupported: "weights are quantised at compile time only",
  hint: "give it weights and constants, nothing that an input reaches",
};

/** A bias in fixed point, if there is one. Its unit is that of a product: scale of x times scale of the weight's row. */
export function fixedBias(b: Builder, x: Node, scales: Node, bias: Node | undefined): string[] {
  if (!bias) return [];
  return [b.fixedStatic(bias, { scales: ops.mul(scales, ops.scalar(x.type.quant!.scales[0]!)), bits: 32 })];
}

/**
 * HTP's RmsNorm in fixed point rounds down: half a step, as what is added at the end, makes that to the nearest. Nothing for floats.
 * All values that it yields would be half a step too small, which layers add up.
 */
function halfStep(n: Node, b: Builder): string[] {
  const step = b.stepOf(n);
  if (step === undefined) return [];
  const half = ops.constant({ dtype: "f32", shape: n.inputs[1]!.type.shape, values: [step / 2] });
  const shift = ops.quantize(half, { dtype: "u16", scale: Math.fround(step / 2 ** 16), offset: 0 });
  return [b.constant(renamed(shift, { name: `${n.name ?? n.op.name}.half`, loc: n.loc }))];
}

export const fullyConnected = (n: Node, b: Builder, operands: readonly (Node | string)[]): void =>
  b.node(n, "FullyConnected", n.type.shape.length > 2 ? [bool("keep_dims", true)] : [], "qti.aisw", operands);

export const qtiSupport = {
  input: leaf,
  param: leaf,
  constant: leaf,
  iota: leaf,
  rotaryTable: leaf,

  add: qti(ops.add, "ElementWiseAdd"),
  sub: qti(ops.sub, "ElementWiseSubtract"),
  mul: qti(ops.mul, "ElementWiseMultiply"),
  div: qti(ops.div, "ElementWiseDivide"),
  maximum: qti(ops.maximum, "ElementWiseMaximum"),
  less: qti(ops.less, "ElementWiseLess"),
  select: qti(ops.select, "ElementWiseSelect"),
  exp: qti(ops.exp, "ElementWiseExp"),
  tanh: qti(ops.tanh, "Tanh"),
  erf: {
    unsupported: "QNN has no error function on its own",
    hint: "use gelu(x), which QNN has as one op, or geluTanh(x)",
  },
  sqrt: qti(ops.sqrt, "ElementWiseSquareRoot"),
  rsqrt: qti(ops.rsqrt, "ElementWiseRsqrt"),
  sin: qti(ops.sin, "ElementWiseSin"),
  cos: qti(ops.cos, "ElementWiseCos"),
  reduceSum: qti(ops.reduceSum, "ReduceSum", (a, n) => reduceParams(a, n.inputs[0]!.type.shape)),
  reduceMax: qti(ops.reduceMax, "ReduceMax", (a, n) => reduceParams(a, n.inputs[0]!.type.shape)),
  matmul: qti(ops.matmul, "MatMul", ({ transposeA, transposeB }) => [
    bool("transpose_in0", transposeA),
    bool("transpose_in1", transposeB),
  ]),
  reshape: qti(ops.reshape, "Reshape"),
  transpose: qti(ops.transpose, "Transpose", ({ perm }) => [u32s("perm", perm)]),
  slice: qti(ops.slice, "StridedSlice", ({ axis, start }, n) => {
    const [whole, part] = [staticShape(n.inputs[0]!.type.shape), staticShape(n.type.shape)];
    const at = resolveAxis(axis, whole);
    return [
      i32Rows(
        "ranges",
        whole.map((size, i) => (i === at ? [start, start + part[i]!, 1] : [0, size, 1])),
      ),
    ];
  }),
  concat: qti(ops.concat, "Concat", ({ axis }, n) => [u32("axis", resolveAxis(axis, n.type.shape))]),
  gather: qti(ops.gather, "Gather", ({ axis }, n) => [i32("axis", resolveAxis(axis, n.inputs[0]!.type.shape))]),
  cast: qti(ops.cast, "Cast"),
  kvAppend: {
    unsupported: "qti.aisw has no op that writes into a cache",
    hint: "use kvAppend only as the update of a cache, so that the host can write the new slice",
  },

  quantize: qti(ops.quantize, "Quantize"),
  dequantize: qti(ops.dequantize, "Dequantize"),
  requantize: qti(ops.requantize, "Convert"),
  weightScales: ofWeights,
  quantizeWeight: ofWeights,
  quantizeBias: ofWeights,
  toBytes: ofWeights,
  blockScales: ofWeights,
  expandBlocks: ofWeights,
  quantizedLinear: custom(ops.quantizedLinear, (n, b) => {
    const [x, w, scales, bias] = n.inputs as [Node, Node, Node, Node?];
    const weight = b.fixedStatic(w, { scales, bits: bitsOf[w.type.dtype] });
    fullyConnected(n, b, [x, weight, ...fixedBias(b, x, scales, bias)]);
  }),
  // HTP multiplies by blocks several times faster in a convolution than in a FullyConnected, and one row as fast.
  blockQuantizedLinear: custom(ops.blockQuantizedLinear, (n, b) => {
    const [x, w, scales, blockScales, bias] = n.inputs as [Node, Node, Node, Node, Node?];
    const [outer, inner] = staticShape(w.type.shape) as [number, number];
    const turned = ops.reshape(ops.transpose(w, { perm: [1, 0] }), { shape: [1, 1, inner, outer] });
    const weight = b.fixedStatic(renamed(turned, w), { scales, bits: 4, axis: 3, blockScales });
    const rows = elements(x.type.shape) / inner;
    const image = b.step(x, "image", "Reshape", [], [x], [1, 1, rows, inner]);
    const params = [
      u32s("stride", [1, 1]),
      { name: "pad_amount", dataType: "UINT_32", dims: [2, 2], values: [0, 0, 0, 0] } as const,
    ];
    const operands = [image, weight, ...fixedBias(b, x, scales, bias)];
    b.node(n, "Reshape", [], "qti.aisw", [b.step(n, "image", "Conv2d", params, operands, [1, 1, rows, outer])]);
  }),

  linear: qti(ops.linear, "FullyConnected", (_, n) => (n.type.shape.length > 2 ? [bool("keep_dims", true)] : [])),
  linearAdd: "expand",
  mlp: "expand",
  gatedMlp: "expand",
  layerNorm: custom(ops.layerNorm, (n, b) => {
    const params = [f32("epsilon", n.attrs.eps), lastAxis(n.type.shape)];
    // In fixed point a shift would be s32; there is one only where it is zero.
    b.node(n, "LayerNorm", params, "qti.aisw", n.inputs[0]!.type.quant ? n.inputs.slice(0, 2) : n.inputs);
  }),
  // Becomes a layerNorm of scale 1 and shift 0: see rules.ts.
  normalize: "expand",
  rmsNorm: custom(ops.rmsNorm, (n, b) => {
    const params = [f32("epsilon", n.attrs.eps), lastAxis(n.type.shape)];
    b.node(n, "RmsNorm", params, "qti.aisw", [...n.inputs, ...halfStep(n, b)]);
  }),
  gelu: qti(ops.gelu, "Gelu"),
  geluTanh: "expand",
  sigmoid: qti(ops.sigmoid, "Sigmoid"),
  silu: "expand",
  softmax: qti(ops.softmax, "Softmax", ({ axis }, n) => [u32("axis", resolveAxis(axis, n.type.shape)), f32("beta", 1)]),
  rope: "expand",
  splitHeads: "expand",
  mergeHeads: "expand",
  attention: "expand",
  cachedAttention: "expand",
  flashAttention: "expand",
  flashCachedAttention: "expand",
} satisfies SupportTable<QnnLowering>;
