/**
 * Rings: caches of attention with a window, which need not hold more than the window. Position p lies at place p mod C. While
 * a run of T tokens is written, its first one still wants the window - 1 positions before it: so C is at least window + T - 1.
 */
import type { Node } from "../../node.ts";
import { add } from "../add.ts";
import { scalar } from "../constant.ts";
import { div } from "../div.ts";
import { less } from "../less.ts";
import { mul } from "../mul.ts";
import { select } from "../select.ts";
import { sub } from "../sub.ts";

/**
 * Whether a cache of `places` is written round and round. A smaller one holds a sequence that is no longer than it, from its first place on.
 * Of a larger one that is not full yet the two read alike.
 */
export const isRing = (places: number, window: number, tokens: number): boolean =>
  window > 0 && places >= window + tokens - 1;

/** How many positions before `at` (i32, a column) what lies at `place` (a row) is, in a ring of `places`: 0 .. places - 1. */
export function agesInRing(at: Node, place: Node, places: number): Node {
  const size = scalar(places, "i32");
  const within = sub(at, mul(div(at, size), size));
  const behind = sub(within, place);
  return select(less(behind, scalar(0, "i32")), add(behind, size), behind);
}
