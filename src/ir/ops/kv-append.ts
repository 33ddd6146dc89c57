import { attr } from "../attr.ts";
import { appendInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { bytesOf, sameDim, showType } from "../type.ts";
import { resolveAxis } from "./support/axis.ts";
import { needPosition, sameDType } from "./support/check.ts";

export const kvAppend = defineOp({
  name: "kvAppend",
  doc: "The cache with slice written at position, position + 1 ... along an axis; what would lie beyond the end is dropped. cache [.., C, ..], slice [.., T, ..], position i32[1] -> type of cache. As a state update it happens in place.",
  inputs: ["cache", "slice", "position"],
  attrs: { axis: attr.int },
  infer: ({ cache, slice, position }, { axis }) => {
    sameDType({ cache, slice });
    needPosition("position", position);
    const at = resolveAxis(axis, cache.shape);
    const fits =
      slice.shape.length === cache.shape.length && slice.shape.every((d, i) => i === at || sameDim(d, cache.shape[i]!));
    if (!fits) throw new Error(`slice ${showType(slice)} must be as cache ${showType(cache)} but for axis ${axis}`);
    const [count, capacity] = [slice.shape[at]!, cache.shape[at]!];
    if (typeof count === "number" && typeof capacity === "number" && count > capacity)
      throw new Error(`slice ${showType(slice)} is longer than cache ${showType(cache)} along axis ${axis}`);
    return cache;
  },
  evaluate: ({ cache, slice, position }, { axis }, out) =>
    appendInto(cache, slice, position.data[0]!, resolveAxis(axis, cache.shape), out),
  // The cache itself is neither read nor copied: only the slice moves.
  cost: ({ slice }) => ({ flops: 0, reads: [0, bytesOf(slice), 4], writes: bytesOf(slice) }),
});
