/** What calibration learns of keys and values that are kept: how far each channel reaches, and by what it is divided. */
import type { Graph } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import { nodeNames } from "../../../ir/print.ts";
import {
  balanceCaches,
  balancedNames,
  type CachedHeads,
  cachedHeads,
  cachePlaces,
} from "../../../passes/balance-caches.ts";
import type { Pass } from "../../../passes/pass.ts";
import {
  type CacheDivisors,
  cacheDivisors,
  isKept,
  isPlain,
  isWorthMoving,
} from "../../../passes/support/cache-divisors.ts";
import type { Range } from "../../../passes/support/encoding.ts";
import type { Holder } from "../../../passes/support/held-factors.ts";
import type { CacheTypes } from "../cache-types.ts";

/** Of one attention. */
export interface CacheRanges extends CacheDivisors {
  /** The largest magnitudes: of scaled queries times what keys are divided by, of divided keys, of divided values. */
  readonly reaches: { readonly queries: number; readonly keys: number; readonly values: number };
}

const parts = ["queries", "keys", "values"] as const;
type Part = (typeof parts)[number];

/** Runs of the same token differ by no more than this part of its largest value. */
const sameness = 1e-4;

/** Watches queries, keys and values of `g` while it runs. `wanted` are the values to hand to `add`, in this order. */
export class CacheWatch {
  readonly wanted: readonly Node[];
  readonly #heads: readonly CachedHeads[];
  /** Of each attention the largest magnitude of each channel, [groups * dim]. */
  readonly #reaches: readonly Readonly<Record<Part | "moved", Float64Array>>[];
  /** Of each attention the values of the first token of all texts; null where it differs. */
  readonly #firsts: (readonly number[] | null | undefined)[] = [];

  constructor(g: Graph) {
    this.#heads = cachedHeads(g);
    this.wanted = this.#heads.flatMap((h) => [h.attention.inputs[0]!, h.keys.inputs[1]!, h.values.inputs[1]!]);
    this.#reaches = this.#heads.map(({ keys }) => {
      const [groups, dim] = keys.type.shape as [number, number];
      const none = () => new Float64Array(groups * dim);
      return { queries: none(), keys: none(), values: none(), moved: none() };
    });
  }

  add(values: readonly ArrayLike<number>[]): void {
    for (const [i, { keys, attention }] of this.#heads.entries()) {
      const [groups, dim] = keys.type.shape as [number, number];
      const first = this.#first(i, values[parts.length * i + parts.indexOf("values")]!, groups, dim);
      const heads = attention.type.shape[0] as number;
      for (const [k, part] of parts.entries()) {
        const most = this.#reaches[i]![part];
        const x = values[parts.length * i + k]!;
        // Keys are [groups, dim, rows], queries [heads, rows, dim], values [groups, rows, dim].
        const repeats = part === "queries" ? heads / groups : 1;
        const rows = x.length / (groups * dim * repeats);
        for (let at = 0; at < x.length; at++) {
          const channel =
            part === "keys" ? Math.floor(at / rows) : Math.floor(at / (rows * dim * repeats)) * dim + (at % dim);
          const reach = Math.abs(x[at]!);
          if (reach > most[channel]!) most[channel] = reach;
          if (part !== "values" || !first) continue;
          const moved = this.#reaches[i]!.moved;
          moved[channel] = Math.max(moved[channel]!, Math.abs(x[at]! - first[channel]!));
        }
      }
    }
  }

  /** Values of the token that all texts so far begin with. */
  #first(i: number, x: ArrayLike<number>, groups: number, dim: number): readonly number[] | null {
    const rows = x.length / (groups * dim);
    const own = Array.from({ length: groups * dim }, (_, c) => x[Math.floor(c / dim) * rows * dim + (c % dim)]!);
    const known = this.#firsts[i];
    const largest = own.reduce((m, o) => Math.max(m, Math.abs(o)), 0);
    const isSame = known?.every((o, c) => Math.abs(o - own[c]!) <= sameness * largest);
    const first = known === undefined ? own : isSame ? known! : null;
    this.#firsts[i] = first;
    return first;
  }

  /** By the name of the attention; undefined where nothing is kept. */
  ranges(names: ReadonlyMap<Node, string>): Record<string, CacheRanges> | undefined {
    if (this.#heads.length === 0) return undefined;
    return Object.fromEntries(
      this.#heads.map(({ attention }, i) => {
        const most = this.#reaches[i]!;
        const keys = cacheDivisors([...most.keys], [...most.queries]);
        const first = this.#firsts[i];
        const isMoved = first && isWorthMoving([...most.values], [...most.moved]);
        const kept = isMoved ? most.moved : most.values;
        const values = cacheDivisors([...kept]);
        const furthest = (part: Part, of: (reach: number, c: number) => number) =>
          most[part].reduce((m, reach, c) => Math.max(m, of(reach, c)), 0);
        const reaches = {
          queries: furthest("queries", (reach, c) => reach * keys[c]!) * (attention.attrs.scale as number),
          keys: furthest("keys", (reach, c) => reach / keys[c]!),
          values: kept.reduce((m, reach, c) => Math.max(m, reach / values[c]!), 0),
        };
        return [names.get(attention)!, { keys, values, ...(isMoved && { origins: first }), reaches }];
      }),
    );
  }
}

export interface CacheBalance {
  readonly passes: readonly Pass[];
  /** Of what the pass makes, and of values that are divided or multiplied from then on, by name. */
  readonly values: Readonly<Record<string, Range>>;
  /** Of what is appended to the caches of an attention, where it is divided; by the name of the attention. */
  readonly ranges: ReadonlyMap<string, { readonly keys?: Range; readonly values?: Range }>;
}

/**
 * Where channels are divided so that all of them reach equally far, all of them reach further on a text that calibration did not see: of 8 bits,
 * which have no headroom of their own, so much is left for that.
 */
const spare = 1.1;

const around = (reach: number): Range => ({ min: -reach, max: reach });
const withBoth = (a: Range, b: Range | undefined): Range =>
  b ? { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) } : a;

/** Sixteen bits have steps enough for values as they are. */
const inSixteen = ({ keys, values, reaches }: CacheRanges): CacheRanges => ({
  keys,
  values: values.map(() => 1),
  reaches,
});

/**
 * @param g the graph that was calibrated
 * @param ranges what calibration saw of each value, by name
 * @param types what keys and values are kept in
 */
export function cacheBalanceOf(
  g: Graph,
  caches: Readonly<Record<string, CacheRanges>> | undefined,
  ranges: Readonly<Record<string, Range>>,
  types: CacheTypes = { keys: "i8", values: "i8" },
): CacheBalance {
  const divided = new Map(
    Object.entries(caches ?? {})
      .map(([name, c]) => [name, types.values === "u16" ? inSixteen(c) : c] as const)
      .filter(([, c]) => !isKept(c)),
  );
  const shown = nodeNames(g);
  const values: Record<string, Range> = {};
  const found = new Map<string, { readonly keys?: Range; readonly values?: Range }>();
  for (const [node, places] of cachePlaces(g)) {
    const attention = shown.get(node)!;
    const cache = divided.get(attention);
    if (!cache) continue;
    const { reaches } = cache;
    const names = balancedNames(attention);
    /** Of an operand whose factors the rows of a linear hold, or that is multiplied under a name of its own. */
    const operand = (holder: Holder | undefined, reach: number, name: string): void => {
      if (!holder) values[name] = around(reach);
      for (const n of holder?.between ?? []) values[shown.get(n)!] = around(reach);
      // What else the linear yields is what it was.
      const product = holder && shown.get(holder.linear)!;
      if (product) values[product] = withBoth(around(reach), values[product] ?? ranges[product]);
    };
    if (!isPlain(cache.keys)) {
      // Where there is no op for them, the scores are scaled as ever.
      const scale = places.queries ? (node.attrs.scale as number) : 1;
      operand(places.queries, reaches.queries / scale, names.queries);
      operand(places.keys, reaches.keys, names.keys);
    }
    const { origins } = cache;
    const furthest = (of: (o: number, c: number) => number) =>
      origins?.reduce((m, o, c) => Math.max(m, Math.abs(of(o, c))), 0) ?? 0;
    if (!isPlain(cache.values))
      operand(places.values, reaches.values + furthest((o, c) => o / cache.values[c]!), names.values);
    if (!isPlain(cache.values) || origins) {
      const seen = ranges[attention];
      // Means of what is kept; what they become is what calibration saw.
      for (const n of [node, places.result]) values[shown.get(n)!] = around(reaches.values);
      if (origins) values[names.centred] = around(reaches.values);
      if (seen && origins) values[names.moved] = seen;
      const most = furthest((o) => o);
      if (seen && !isPlain(cache.values)) values[names.whole] = { min: seen.min - most, max: seen.max + most };
    }
    found.set(attention, {
      ...(!isPlain(cache.keys) && { keys: around(spare * reaches.keys) }),
      ...((!isPlain(cache.values) || origins) && { values: around(spare * reaches.values) }),
    });
  }
  return { passes: divided.size > 0 ? [balanceCaches(divided)] : [], values, ranges: found };
}
