/** The content of `<entry>.qnn.json`: one QNN graph, ready for `tensorCreateGraphTensor` and `graphAddNode` in this order. */

export type QnnTensorKind = "APP_WRITE" | "APP_READ" | "APP_READWRITE" | "NATIVE" | "STATIC";

export type QnnDataType =
  | "FLOAT_32"
  | "FLOAT_16"
  | "INT_32"
  | "INT_8"
  | "UINT_8"
  | "UINT_16"
  | "UINT_32"
  | "SFIXED_POINT_8"
  | "SFIXED_POINT_32"
  | "UFIXED_POINT_8"
  | "UFIXED_POINT_16"
  | "BOOL_8";

/** Scales by value, or where they lie in `weights.bin`, as f32 or of blocks as bytes: those of weights are known only when the weights are. */
export type QnnScales = readonly number[] | { readonly offset: number; readonly bytes: number };

/** `real = (q + offset) * scale`; offsets that are left out are 0. */
export type QnnQuantize =
  | { readonly encoding: "SCALE_OFFSET"; readonly scale: number; readonly offset: number }
  | {
      readonly encoding: "AXIS_SCALE_OFFSET";
      readonly axis: number;
      readonly scales: QnnScales;
      readonly offsets?: readonly number[];
    }
  /** Integers of `bitwidth` bits in the low bits of wider elements. */
  | {
      readonly encoding: "BW_AXIS_SCALE_OFFSET";
      readonly bitwidth: number;
      readonly axis: number;
      readonly scales: QnnScales;
      readonly offsets?: readonly number[];
    }
  /** `real = q * blockScale * scale`: integers for the blocks of each channel, [channels][blocks], of `bitwidth` bits, 1 to 2^bitwidth. */
  | {
      readonly encoding: "BLOCKWISE_EXPANSION";
      readonly bitwidth: number;
      readonly axis: number;
      readonly scales: QnnScales;
      readonly blocks: number;
      readonly blockScales: QnnScales;
    };

export interface QnnTensor {
  readonly name: string;
  readonly type: QnnTensorKind;
  readonly dataType: QnnDataType;
  readonly dims: readonly number[];
  readonly quantize?: QnnQuantize;
  /** STATIC: where the values lie in `weights.bin`. */
  readonly data?: { readonly offset: number; readonly bytes: number };
  /** STATIC: the values themselves, for small tensors and tensor parameters. */
  readonly inline?: readonly number[];
}

export interface QnnScalar {
  readonly dataType: "FLOAT_32" | "INT_32" | "UINT_32" | "BOOL_8";
  readonly value: number | boolean;
}

export type QnnParam =
  | { readonly name: string; readonly scalar: QnnScalar }
  /** The name of a STATIC tensor. */
  | { readonly name: string; readonly tensor: string };

export type QnnPackage = "qti.aisw" | "heddle";

export interface QnnNode {
  readonly name: string;
  readonly package: QnnPackage;
  readonly type: string;
  readonly params: readonly QnnParam[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Where the author wrote it: `graphs/models/gpt2.ts:41:17`. */
  readonly loc?: string;
}

export interface QnnGraph {
  readonly format: "heddle.qnn/1";
  readonly graph: string;
  readonly weights: string;
  readonly tensors: readonly QnnTensor[];
  readonly nodes: readonly QnnNode[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}
