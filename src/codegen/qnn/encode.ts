/** Types of the IR as QNN writes them. */
import { hasBlocks, isBlock, rowBytes } from "../../ir/blocks.ts";
import { HeddleError } from "../../ir/error.ts";
import { describe, type Node } from "../../ir/node.ts";
import { type DType, type Quant, showType, staticShape } from "../../ir/type.ts";
import { paddedRows } from "../panels.ts";
import type { QnnDataType, QnnQuantize } from "./types.ts";

const plain: Readonly<Partial<Record<DType, QnnDataType>>> = {
  f32: "FLOAT_32",
  f16: "FLOAT_16",
  i32: "INT_32",
  i8: "INT_8",
  u8: "UINT_8",
  u16: "UINT_16",
  bool: "BOOL_8",
};
const fixed: Readonly<Partial<Record<DType, QnnDataType>>> = {
  i8: "SFIXED_POINT_8",
  u8: "UFIXED_POINT_8",
  u16: "UFIXED_POINT_16",
};

/** @throws HeddleError for an element type that QNN has not. */
export function dataTypeOf(n: Node): QnnDataType {
  if (isBlock(n.type.dtype)) return "UINT_8";
  const found = (n.type.quant ? fixed : plain)[n.type.dtype];
  if (found) return found;
  throw new HeddleError(`QNN has no tensors of type ${showType(n.type)}`, {
    subject: describe(n),
    loc: n.loc,
    hint: `cast it to f32 or f16; QNN takes ${Object.keys(plain).join(", ")}`,
  });
}

/** A tensor has at least one axis in QNN: a single number is `[1]`. Rows in blocks are rows of bytes, padded to whole panels. @throws HeddleError for a size that is not bound. */
export function dimsOf(n: Node): readonly number[] {
  try {
    const dims = staticShape(n.type.shape);
    if (hasBlocks(n.type)) return [paddedRows(dims.slice(0, -1).reduce((a, d) => a * d, 1)), rowBytes(n.type)];
    return dims.length ? dims : [1];
  } catch (e) {
    throw new HeddleError((e as Error).message, { subject: describe(n), loc: n.loc });
  }
}

export function quantizeOf({ axis, scales, offsets }: Quant): QnnQuantize {
  return axis === undefined
    ? { encoding: "SCALE_OFFSET", scale: scales[0]!, offset: offsets[0]! }
    : { encoding: "AXIS_SCALE_OFFSET", axis, scales, offsets };
}
