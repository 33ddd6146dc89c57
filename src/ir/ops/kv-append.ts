import { attr, optional } from "../attr.ts";
import { appendInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { bytesOf, sameDim, showType } from "../type.ts";
import { resolveAxis } from "./support/axis.ts";
import { needPosition, sameDType } from "./support/check.ts";
import { sameEncoding } from "./support/quant.ts";
import { isRing } from "./support/ring.ts";

export const kvAppend = defineOp({
  name: "kvAppend",
  doc: "The cache with slice written at position, position + 1 ... along an axis; what would lie beyond the end is dropped, but for a cache that keeps a window of tokens and has room for the new ones beside it (C >= window + T - 1): there position p lies at p mod C. cache [.., C, ..], slice [.., T, ..], position i32[1] -> type of cache. As a state update it happens in place.",
  inputs: ["cache", "slice", "position"],
  attrs: { axis: attr.int, window: optional(attr.int, 0) },
  infer: ({ cache, slice, position }, { axis, window }) => {
    sameDType({ cache, slice });
    sameEncoding({ cache, slice });
    needPosition("position", position);
    const at = resolveAxis(axis, cache.shape);
    const fits =
      slice.shape.length === cache.shape.length && slice.shape.every((d, i) => i === at || sameDim(d, cache.shape[i]!));
    if (!fits) throw new Error(`slice ${showType(slice)} must be as cache ${showType(cache)} but for axis ${axis}`);
    const [count, capacity] = [slice.shape[at]!, cache.shape[at]!];
    if (typeof count === "number" && typeof capacity === "number" && count > capacity)
      throw new Error(`slice ${showType(slice)} is longer than cache ${showType(cache)} along axis ${axis}`);
    if (window < 0) throw new Error(`window must be 0 (none) or positive, not ${window}`);
    return cache;
  },
  evaluate: ({ cache, slice, position }, { axis, window }, out) => {
    const at = resolveAxis(axis, cache.shape);
    appendInto(cache, slice, position.data[0]!, at, isRing(cache.shape[at]!, window, slice.shape[at]!), out);
  },
  // The cache itself is neither read nor copied: only the slice moves.
  cost: ({ slice }) => ({ flops: 0, reads: [0, bytesOf(slice), 4], writes: bytesOf(slice) }),
});
