/** ONNX as protobuf messages: the generated classes, element types and small constructors. */
import type { onnx } from "onnx-proto";
import onnxProto from "onnx-proto";
import type { DType } from "../../ir/type.ts";

export type { onnx };
export const { ModelProto, AttributeProto, TensorProto } = onnxProto.onnx;

/** Element types of the IR by the number that ONNX gives them. */
const numbers = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i32: 6,
  bool: 9,
  f16: 10,
  f64: 11,
  bf16: 16,
} as const satisfies Partial<Record<DType, number>>;
export const int64 = 7;

export const elementType = (dtype: DType): number | undefined => (numbers as Partial<Record<DType, number>>)[dtype];
export const dtypeOf = (elementType: number): DType | undefined =>
  (Object.keys(numbers) as (keyof typeof numbers)[]).find((d) => numbers[d] === elementType);

/** Attribute kinds that the exporter writes. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

const kinds = AttributeProto.AttributeType;

/** An integer, a list of integers, or a float said to be one. */
export function attribute(name: string, value: OnnxAttribute): onnx.IAttributeProto {
  if (typeof value === "number") return { name, type: kinds.INT, i: value };
  if ("float" in value) return { name, type: kinds.FLOAT, f: value.float };
  return { name, type: kinds.INTS, ints: [...value] };
}

export const valueInfo = (name: string, elemType: number, shape: readonly number[]): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});
