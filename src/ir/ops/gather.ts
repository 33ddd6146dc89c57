import { attr, optional } from "../attr.ts";
import { isBlock, needWholeRows } from "../blocks.ts";
import { gatherInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { bytesOf, showType } from "../type.ts";
import { resolveAxis } from "./support/axis.ts";

export const gather = defineOp({
  name: "gather",
  doc: "data[indices] along an axis: data [.., n, ..], indices i32 [i..] -> [.., i.., ..]. A table of f16, bf16 or a block type yields `dtype`, any other its own.",
  inputs: ["data", "indices"],
  attrs: { axis: optional(attr.int, 0), dtype: optional(attr.dtype, "f32") },
  infer: ({ data, indices }, { axis, dtype }) => {
    if (indices.dtype !== "i32") throw new Error(`indices must be i32, not ${showType(indices)}`);
    const at = resolveAxis(axis, data.shape);
    needWholeRows(data, at);
    const narrow = data.dtype === "f16" || data.dtype === "bf16" || isBlock(data.dtype);
    return {
      dtype: narrow ? dtype : data.dtype,
      shape: [...data.shape.slice(0, at), ...indices.shape, ...data.shape.slice(at + 1)],
    };
  },
  evaluate: ({ data, indices }, { axis }, out) => gatherInto(data, indices, resolveAxis(axis, data.shape), out),
  // Only the rows asked for are read, not the table.
  cost: ({ data, indices }, _, out) => ({
    flops: 0,
    reads: [bytesOf({ dtype: data.dtype, shape: out.shape }), bytesOf(indices)],
  }),
});
