/** Which keys a core sees: tiles of them in a turn, and lanes of a block; and the maximum over lanes, which belongs to the same pass. */
import { type Body, type Value, vec } from "../body.ts";
import type { AttentionTiles } from "./attention.ts";
import { range } from "./range.ts";

/** A score that is not to be seen; finite, so that differences are. */
export const low = -3e38;

/**
 * Tiles of keys that pass this core in a turn: those before the window of its first query, those that it sees, and those behind its
 * last query; and how far the first one that it sees lies before its first query.
 */
export function tilesOf(b: Body, t: AttentionTiles, turn: Value, firstBlock: number, position: Value, start: number) {
  const { s, q } = t.tile;
  const perPanel = t.panel / s;
  const perBlock = t.panel / t.share;
  const blockOf = b.add(b.mul(turn, b.index(t.columns.queries)), b.index(firstBlock));
  const from = b.add(position, b.mul(blockOf, b.index(perBlock)));
  const query = b.add(from, b.index(start));
  const least = (x: Value, y: Value) => b.op("arith.minsi", x, y);
  const most = (x: Value, y: Value) => b.op("arith.maxsi", x, y);
  const over = (x: Value, n: number) => b.op("arith.divsi", x, b.index(n));
  const none = b.index(0);
  // As `panelsOf`: panels that no core of the column sees are not read unless they are of a cache.
  const all = b.index(t.padded.keys / t.panel);
  const whole = t.cached || t.mapping === "own";
  const end = whole ? all : least(all, b.add(over(b.add(from, b.index(perBlock - 1)), t.panel), b.index(1)));
  const firstPanel = whole || !t.window ? none : over(most(none, b.sub(from, b.index(t.window - 1))), t.panel);
  const count = b.mul(b.sub(end, firstPanel), b.index(perPanel));
  const ahead = b.sub(query, b.mul(firstPanel, b.index(t.panel)));
  const last = b.add(over(most(none, b.add(ahead, b.index(Math.ceil(q / t.share) - 1))), s), b.index(1));
  if (t.ring) return { before: none, seen: count, after: none, ahead };
  const until = least(count, last);
  const before = t.window ? least(until, over(most(none, b.sub(ahead, b.index(t.window - 1))), s)) : none;
  return {
    before,
    seen: b.sub(until, before),
    after: b.sub(count, until),
    ahead: b.sub(ahead, b.mul(before, b.index(s))),
  };
}

/** The first object of v holds the position as an integer in its first element, and in the second which kind of attention runs. */
export function readHeader(b: Body, withKind: boolean): readonly [position: Value, kind: Value | undefined] {
  const header = b.acquire("v", "Consume");
  const number = (i: number, hint: string) => {
    const bits = b.convert("arith.bitcast", b.load(header, [b.index(0), b.index(0), b.index(i)]), "i16", "bits");
    return b.convert("arith.index_cast", bits, "index", hint);
  };
  const position = number(0, "position");
  const kind = withKind ? number(1, "kind") : undefined;
  b.release("v", "Consume");
  return [position, kind];
}

/** The place of the first query, and in a ring how much farther back lies what it holds behind its newest place. */
export function inRing(
  b: Body,
  t: AttentionTiles,
  given: Value,
): { readonly position: Value; readonly round: readonly Value[] } {
  if (!t.ring) return { position: given, round: [] };
  const places = b.index(t.keys);
  const position = b.op("arith.remui", given, places);
  // One that is not full holds nothing there.
  const isFull = b.compare("arith.cmpi", "sge", given, places);
  return { position, round: [b.select(isFull, places, b.index(-4 * t.keys))] };
}

/**
 * 0 for lanes (key i, query j) with i - floor(j / share) <= delta, and above delta - window; the lowest score for the others.
 * @param delta how far the block's first key lies before its first query.
 */
function mask(b: Body, delta: Value, t: AttentionTiles): Value {
  const type = vec("bf16", 4 * t.block);
  const lanes = Array.from(
    { length: 4 * t.block },
    (_, l) => Math.floor(l / t.block) - Math.floor((l % t.block) / Math.min(t.block, t.share)),
  );
  const distance = b.splat(lanes, type);
  const clamped = (v: Value) => {
    const near = b.op("arith.minsi", b.op("arith.maxsi", v, b.index(-8)), b.index(8));
    const number = b.convert("arith.sitofp", b.convert("arith.index_cast", near, "i32"), "bf16");
    return b.broadcast(number, type);
  };
  const [seen, hidden] = [b.splat(0, type), b.splat(low, type)];
  const later = b.select(b.compare("arith.cmpf", "ole", distance, clamped(delta)), seen, hidden);
  if (!t.window) return later;
  const edge = clamped(b.sub(delta, b.index(t.window)));
  return b.select(b.compare("arith.cmpf", "ogt", distance, edge), later, hidden);
}

/** What is added to a block of scores. In a ring, places before and behind the query's own may hold what came a round earlier. */
export function hidden(b: Body, delta: Value, t: AttentionTiles, round: Value | undefined): Value {
  const near = mask(b, delta, t);
  if (!round) return near;
  const earlier = b.max(near, mask(b, b.add(delta, round), t));
  // The queries of one run may go past the last place.
  return t.queries > 1 ? b.max(earlier, mask(b, b.sub(delta, b.index(t.keys)), t)) : earlier;
}

/** The maximum of every query's four lanes, in all of them: lanes are 4 keys by `queries`. */
export function perQuery(b: Body, v: Value, queries: number): Value {
  const parts = range(queries).map((j) => {
    const only = b.splat(
      Array.from({ length: 4 * queries }, (_, l) => (l % queries === j ? 0 : low)),
      v.type,
    );
    return b.add(b.broadcast(b.reduce("maximumf", b.add(v, only)), v.type), only);
  });
  return parts.reduce((x, y) => b.max(x, y));
}
