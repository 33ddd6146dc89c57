import { showType, type TensorType } from "../../type.ts";
import { resolveAxis, withAxis } from "./axis.ts";

/** The type of a reduction of `x` along one axis. */
export function reducedType(x: TensorType, { axis, keepDims }: { axis: number; keepDims: boolean }): TensorType {
  if (x.dtype === "bool") throw new Error(`takes numbers, not ${showType(x)}`);
  const at = resolveAxis(axis, x.shape);
  return { dtype: x.dtype, shape: keepDims ? withAxis(x.shape, at, 1) : x.shape.filter((_, i) => i !== at) };
}
