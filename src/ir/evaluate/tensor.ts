/** Values of the reference interpreter. Floats are held in f32 or f64 (the interpreter's precision), integers in i32. */
import { isBlock } from "../blocks.ts";
import { elements, isFloat, staticShape, type TensorType } from "../type.ts";

export type Data = Float64Array | Float32Array | Int32Array;
export type Precision = "f32" | "f64";

export interface Tensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: Data;
}

/** Whether values of the type are held in i32. Weights in blocks are held as the floats that they stand for. */
export const isInteger = (t: TensorType): boolean => !isFloat(t.dtype) && !isBlock(t.dtype);

/** A zeroed tensor of the type. */
export function zeros(type: TensorType, precision: Precision = "f32"): Tensor {
  const n = elements(type.shape);
  const data = isInteger(type) ? new Int32Array(n) : precision === "f64" ? new Float64Array(n) : new Float32Array(n);
  return { type, shape: staticShape(type.shape), data };
}
