/** What the four attention ops share: types, grouped heads, masks and cost. */

import type { Node } from "../../node.ts";
import type { Cost } from "../../op.ts";
import { type Dim, elements, sameDim, showType, type TensorType } from "../../type.ts";
import { add } from "../add.ts";
import { scalar } from "../constant.ts";
import { dequantize } from "../dequantize.ts";
import { iota } from "../iota.ts";
import { less } from "../less.ts";
import { reshape } from "../reshape.ts";
import { select } from "../select.ts";
import { needFloat, needNumber, needPosition, needShape, sameDType } from "./check.ts";
import { encodingOf } from "./quant.ts";
import { agesInRing, isRing } from "./ring.ts";

/** The score of a key that must not be seen: the lowest finite number, so that a fully masked row yields no NaN. */
const masked = {
  f64: -Number.MAX_VALUE,
  f32: -3.4028234663852886e38,
  bf16: -3.3895313892515355e38,
  f16: -65504,
} as const;

/** q [H, T, D], k [G, S, D], v [G, S, D] -> [H, T, D]; the keys are transposed in a cache: k [G, D, C], v [G, C, D]. */
export function attentionType(
  types: Record<"q" | "k" | "v", TensorType>,
  attrs: { window: number },
  layout: "rows" | "cache",
): TensorType {
  const { q, k, v } = types;
  if (q.shape.length !== 3) throw new Error(`q must be [H, T, D], not ${showType(q)}`);
  const [heads, , dim] = q.shape as [Dim, Dim, Dim];
  const [groups, keys] = [v.shape[0], v.shape[1]];
  if (layout === "cache") needShape("v", v, "G, C, D", undefined, undefined, dim);
  else needShape("v", v, "G, S, D", undefined, undefined, dim);
  if (layout === "cache") needShape("k", k, "G, D, C", groups, dim, keys);
  else needShape("k", k, "G, S, D", groups, keys, dim);
  const [h, g] = [needNumber("H, the first size of q,", heads), needNumber("G, the first size of v,", groups!)];
  if (h % g)
    throw new Error(`${h} heads of q cannot share ${g} heads of k and v: q is ${showType(q)}, v is ${showType(v)}`);
  if (attrs.window < 0) throw new Error(`window must be 0 (none) or positive, not ${attrs.window}`);
  needFloat({ q });
  // A cache may be in fixed point: what it holds is then read as the floats that it stands for.
  if (layout === "cache" && k.quant && v.quant) {
    encodingOf("k", k);
    encodingOf("v", v);
    return { dtype: q.dtype, shape: q.shape };
  }
  return { dtype: sameDType({ q, k, v }), shape: q.shape };
}

/** A cache as floats of the type of the queries. */
export const inFloats = (x: Node, { dtype }: TensorType): Node => (x.type.quant ? dequantize(x, { dtype }) : x);

/** As `attentionType` for keys in rows, and causal attention needs a key for every query. */
export function rowAttentionType(
  types: Record<"q" | "k" | "v", TensorType>,
  attrs: { window: number; causal: boolean },
): TensorType {
  const type = attentionType(types, attrs, "rows");
  const [queries, keys] = [types.q.shape[1]!, types.k.shape[1]!];
  if (typeof queries === "number" && typeof keys === "number" && attrs.causal && keys < queries)
    throw new Error(
      `causal attention of ${queries} queries needs at least as many keys, not ${keys}: q is ${showType(types.q)}, k is ${showType(types.k)}`,
    );
  if (attrs.window && !attrs.causal) throw new Error("a window needs causal attention: set causal=true or window=0");
  return type;
}

/** As `attentionType` for keys in a cache, with the position of the first query. */
export function cachedAttentionType(
  types: Record<"q" | "k" | "v" | "position", TensorType>,
  attrs: { window: number },
): TensorType {
  needPosition("position", types.position);
  return attentionType(types, attrs, "cache");
}

/** How far the last query may look ahead of row 0: S - T, as a number. */
export function causalOffset(queries: Dim, keys: Dim): number {
  if (sameDim(queries, keys)) return 0;
  return needNumber("the number of keys", keys) - needNumber("the number of queries", queries);
}

/** Grouped heads: q [H, T, D] as [G, H/G, T, D] and k, v with an axis of 1 there. Nothing changes where H = G. */
export function grouped(q: Node, k: Node, v: Node): { q: Node; k: Node; v: Node } {
  const [heads, queries, dim] = q.type.shape as [number, Dim, Dim];
  const groups = v.type.shape[0] as number;
  if (heads === groups) return { q, k, v };
  const shared = (x: Node) => reshape(x, { shape: [groups, 1, ...x.type.shape.slice(1)] });
  return { q: reshape(q, { shape: [groups, heads / groups, queries, dim] }), k: shared(k), v: shared(v) };
}

/** The result of grouped attention as [H, T, D]. */
export const ungrouped = (x: Node, type: TensorType): Node =>
  x.type.shape.length === 3 ? x : reshape(x, { shape: type.shape });

/** `count` positions from `start` on as a column (a query per row) or a row (a key per column). */
export function positions(count: Dim, start: number, along: "rows" | "columns"): Node {
  const at = reshape(iota({ length: count }), { shape: along === "rows" ? [count, 1] : [1, count] });
  return start ? add(at, scalar(start, "i32")) : at;
}

/** Scores with every key later than its query, or `window` or more before it, masked. `query` and `key` are positions. */
export function causalMask(scores: Node, query: Node, key: Node, hide: { later: boolean; window: number }): Node {
  const { dtype } = scores.type;
  const low = scalar(masked[dtype as keyof typeof masked], dtype);
  const seen = hide.later ? select(less(query, key), low, scores) : scores;
  // Outside the window: key <= query - window, that is key + window - 1 < query.
  return hide.window ? select(less(add(key, scalar(hide.window - 1, "i32")), query), low, seen) : seen;
}

/**
 * Scores against what lies at `place` of a cache, which is not masked where it is one of the `window` (0: all) positions that
 * end at `query`. @param tokens of the run and @param places of the cache tell a ring from other caches.
 */
export function cacheMask(
  scores: Node,
  query: Node,
  place: Node,
  { tokens, places, window }: { tokens: number; places: number; window: number },
): Node {
  if (!isRing(places, window, tokens)) return causalMask(scores, query, place, { later: true, window });
  const { dtype } = scores.type;
  const low = scalar(masked[dtype as keyof typeof masked], dtype);
  const age = agesInRing(query, place, places);
  const near = select(less(age, scalar(window, "i32")), scores, low);
  // Nothing was written before position 0.
  return select(less(query, age), low, near);
}

/** Two matrix products and a softmax over all keys, as if the mask hid none. */
export function attentionCost(types: Record<"q" | "k" | "v", TensorType>): Cost {
  const keys = elements([types.v.shape[1]!]);
  const scores = elements(types.q.shape.slice(0, 2)) * keys;
  const dim = elements([types.q.shape[2]!]);
  // Per score: 2D for q k^T, 2D for p v, and scale, maximum, difference, exponential, sum.
  return { flops: scores * (4 * dim + 5) };
}
