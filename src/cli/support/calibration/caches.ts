/** What calibration learns of keys and values that are kept: how far each channel reaches, and by what it is divided. */
import type { Graph } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import type { Encoding } from "../../../ir/ops/support/quant.ts";
import {
  balanceCaches,
  balancedNames,
  type CacheDivisors,
  type CachedHeads,
  cacheDivisors,
  cachedHeads,
  isPlain,
} from "../../../passes/balance-caches.ts";
import type { Pass } from "../../../passes/pass.ts";
import { encodingFor, type Range } from "../../../passes/support/encoding.ts";

/** Of one attention. */
export interface CacheRanges extends CacheDivisors {
  /** The largest magnitudes: of scaled queries times what keys are divided by, of divided keys, of divided values. */
  readonly reaches: { readonly queries: number; readonly keys: number; readonly values: number };
}

const parts = ["queries", "keys", "values"] as const;
type Part = (typeof parts)[number];

/** Watches queries, keys and values of `g` while it runs. `wanted` are the values to hand to `add`, in this order. */
export class CacheWatch {
  readonly wanted: readonly Node[];
  readonly #heads: readonly CachedHeads[];
  /** Of each attention the largest magnitude of each channel, [groups * dim]. */
  readonly #reaches: readonly Readonly<Record<Part, Float64Array>>[];

  constructor(g: Graph) {
    this.#heads = cachedHeads(g);
    this.wanted = this.#heads.flatMap((h) => [h.attention.inputs[0]!, h.keys.inputs[1]!, h.values.inputs[1]!]);
    this.#reaches = this.#heads.map(({ keys }) => {
      const [groups, dim] = keys.type.shape as [number, number];
      const none = () => new Float64Array(groups * dim);
      return { queries: none(), keys: none(), values: none() };
    });
  }

  add(values: readonly ArrayLike<number>[]): void {
    for (const [i, { keys, attention }] of this.#heads.entries()) {
      const [groups, dim] = keys.type.shape as [number, number];
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
        }
      }
    }
  }

  /** By the name of the attention; undefined where nothing is kept. */
  ranges(names: ReadonlyMap<Node, string>): Record<string, CacheRanges> | undefined {
    if (this.#heads.length === 0) return undefined;
    return Object.fromEntries(
      this.#heads.map(({ attention }, i) => {
        const most = this.#reaches[i]!;
        const keys = cacheDivisors([...most.keys], [...most.queries]);
        const values = cacheDivisors([...most.values]);
        const furthest = (part: Part, of: (reach: number, c: number) => number) =>
          most[part].reduce((m, reach, c) => Math.max(m, of(reach, c)), 0);
        const reaches = {
          queries: furthest("queries", (reach, c) => reach * keys[c]!) * (attention.attrs.scale as number),
          keys: furthest("keys", (reach, c) => reach / keys[c]!),
          values: furthest("values", (reach, c) => reach / values[c]!),
        };
        return [names.get(attention)!, { keys, values, reaches }];
      }),
    );
  }
}

export interface CacheBalance {
  readonly passes: readonly Pass[];
  /** Of what the pass makes, and of attentions that now yield divided values. */
  readonly encodings: ReadonlyMap<string, Encoding>;
  /** Of what is appended to the caches of an attention, where it is divided; by the name of the attention. */
  readonly ranges: ReadonlyMap<string, { readonly keys?: Range; readonly values?: Range }>;
}

/** @param ranges what calibration saw of each value, by name. */
export function cacheBalanceOf(
  caches: Readonly<Record<string, CacheRanges>> | undefined,
  ranges: Readonly<Record<string, Range>>,
): CacheBalance {
  const divided = Object.entries(caches ?? {}).filter(([, c]) => !(isPlain(c.keys) && isPlain(c.values)));
  const around = (reach: number): Range => ({ min: -reach, max: reach });
  const encodings = new Map<string, Encoding>();
  const found = new Map<string, { readonly keys?: Range; readonly values?: Range }>();
  for (const [attention, { keys, values, reaches }] of divided) {
    const names = balancedNames(attention);
    const encode = (name: string, range: Range) => encodings.set(name, encodingFor(range, "u16"));
    if (!isPlain(keys)) {
      encode(names.queries, around(reaches.queries));
      encode(names.keys, around(reaches.keys));
    }
    if (!isPlain(values)) {
      encode(names.values, around(reaches.values));
      // Means of divided values; what they are multiplied to is what calibration saw.
      encode(attention, around(reaches.values));
      if (ranges[attention]) encode(names.whole, ranges[attention]);
    }
    found.set(attention, {
      ...(!isPlain(keys) && { keys: around(reaches.keys) }),
      ...(!isPlain(values) && { values: around(reaches.values) }),
    });
  }
  return {
    passes: divided.length > 0 ? [balanceCaches(new Map(divided))] : [],
    encodings,
    ranges: found,
  };
}
