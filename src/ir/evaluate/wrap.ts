import { elements, showType, staticShape, type TensorType } from "../type.ts";
import { type Data, isInteger, type Precision, type Tensor } from "./tensor.ts";

/**
 * Numbers as a tensor of the type. Not copied where they are held as the interpreter holds that type.
 * @throws Error where their count is not that of the type.
 */
export function wrap(
  name: string,
  type: TensorType,
  value: Data | readonly number[],
  precision: Precision = "f32",
): Tensor {
  const count = elements(type.shape);
  if (value.length !== count)
    throw new Error(`${name} is ${showType(type)}, which has ${count} elements, but ${value.length} were given`);
  const Storage = isInteger(type) ? Int32Array : precision === "f64" ? Float64Array : Float32Array;
  return { type, shape: staticShape(type.shape), data: value instanceof Storage ? value : new Storage(value) };
}
