/**
 * Operands and parameters of the QNN ops that this compiler emits, as Qualcomm's operation reference defines `qti.aisw`
 * and as the reference backend defines `heddle`. The backends check the same again, with shapes, when a node is added.
 */
import type { QnnPackage } from "./types.ts";

type ParamKind = "FLOAT_32" | "INT_32" | "UINT_32" | "BOOL_8" | "UINT_32[]" | "UINT_32[,]" | "INT_32[,]";

export interface QnnOpDef {
  /** Least and most operands. */
  readonly inputs: readonly [number, number];
  readonly params?: Readonly<Record<string, ParamKind>>;
  /** Parameters that may be left out. */
  readonly optional?: readonly string[];
}

const unary: QnnOpDef = { inputs: [1, 1] };
const binary: QnnOpDef = { inputs: [2, 2] };
const reduce: QnnOpDef = {
  inputs: [1, 1],
  params: { axes: "UINT_32[]", keep_dims: "BOOL_8" },
  optional: ["keep_dims"],
};
const flash = { scale: "FLOAT_32", window: "UINT_32", block_q: "UINT_32", block_k: "UINT_32" } as const;

export const qnnOps: Readonly<Record<QnnPackage, Readonly<Record<string, QnnOpDef>>>> = {
  "qti.aisw": {
    ElementWiseAdd: binary,
    ElementWiseSubtract: binary,
    ElementWiseMultiply: binary,
    ElementWiseDivide: binary,
    ElementWiseMaximum: binary,
    ElementWiseLess: binary,
    ElementWiseSelect: { inputs: [3, 3] },
    ElementWiseExp: unary,
    ElementWiseSquareRoot: unary,
    ElementWiseRsqrt: unary,
    ElementWiseSin: unary,
    ElementWiseCos: unary,
    Tanh: unary,
    Sigmoid: unary,
    Gelu: unary,
    Cast: unary,
    Quantize: unary,
    Dequantize: unary,
    Convert: unary,
    Reshape: unary,
    Transpose: { inputs: [1, 1], params: { perm: "UINT_32[]" } },
    StridedSlice: { inputs: [1, 1], params: { ranges: "INT_32[,]" } },
    Concat: { inputs: [1, Number.POSITIVE_INFINITY], params: { axis: "UINT_32" } },
    Gather: { inputs: [2, 2], params: { axis: "INT_32" }, optional: ["axis"] },
    ReduceSum: reduce,
    ReduceMax: reduce,
    MatMul: {
      inputs: [2, 3],
      params: { transpose_in0: "BOOL_8", transpose_in1: "BOOL_8" },
      optional: ["transpose_in0", "transpose_in1"],
    },
    Conv2d: { inputs: [2, 3], params: { stride: "UINT_32[]", pad_amount: "UINT_32[,]" } },
    FullyConnected: { inputs: [2, 3], params: { keep_dims: "BOOL_8" }, optional: ["keep_dims"] },
    LayerNorm: { inputs: [1, 3], params: { epsilon: "FLOAT_32", axes: "UINT_32[]" }, optional: ["epsilon"] },
    RmsNorm: { inputs: [2, 3], params: { epsilon: "FLOAT_32", axes: "UINT_32[]" }, optional: ["epsilon"] },
    Softmax: { inputs: [1, 1], params: { axis: "UINT_32", beta: "FLOAT_32" }, optional: ["axis", "beta"] },
  },
  heddle: {
    FlashAttention: { inputs: [3, 3], params: { ...flash, causal: "BOOL_8" } },
    FlashCachedAttention: { inputs: [4, 4], params: { ...flash, stepwise: "BOOL_8" }, optional: ["stepwise"] },
    KvAppend: { inputs: [3, 3], params: { axis: "UINT_32", window: "UINT_32" }, optional: ["window"] },
    Mlp: { inputs: [5, 6], params: { activation: "UINT_32" } },
    GatedMlp: { inputs: [3, 3], params: { activation: "UINT_32" } },
    FullyConnectedAdd: { inputs: [4, 4] },
    BlockFullyConnected: { inputs: [2, 4], params: { format: "UINT_32" } },
    BlockGatedMlp: {
      inputs: [3, 3],
      params: { activation: "UINT_32", format: "UINT_32", down_format: "UINT_32", hidden: "UINT_32" },
    },
    BlockGather: { inputs: [2, 2], params: { format: "UINT_32", rows: "UINT_32" } },
    GeluTanh: unary,
    Rope: { inputs: [3, 3] },
    Normalize: { inputs: [1, 1], params: { epsilon: "FLOAT_32" } },
  },
};
