import { HeddleError } from "../ir/error.ts";
import { type Graph, graph as makeGraph, mapGraph, topo } from "../ir/graph.ts";
import { describe, type Node } from "../ir/node.ts";
import { cachedAttention, constant, flashCachedAttention, kvAppend, mul, transpose } from "../ir/ops/index.ts";
import { nodeNames } from "../ir/print.ts";
import type { Module } from "../ir/program.ts";
import { type Pass, pass } from "./pass.ts";
import { prove } from "./prove.ts";
import { inPlaceOf } from "./support/naming.ts";

/** By which keys and values of one attention are divided before they are kept: a positive number for each channel, [groups * dim]. */
export interface CacheDivisors {
  readonly keys: readonly number[];
  readonly values: readonly number[];
}

/** An attention with the updates of the caches that it reads. */
export interface CachedHeads {
  readonly attention: Node;
  readonly keys: Node;
  readonly values: Node;
}

/** Every attention on a cache of its own, in order. */
export const cachedHeads = (g: Graph): CachedHeads[] =>
  topo(g).flatMap((attention) => {
    const [, keys, values] = attention.inputs;
    const isCached = attention.op === cachedAttention || attention.op === flashCachedAttention;
    return isCached && keys!.op === kvAppend && values!.op === kvAppend
      ? [{ attention, keys: keys!, values: values! }]
      : [];
  });

/** Channels that are smaller than this part of the middle one gain nothing from finer steps. */
const smallest = 2 ** -5;
/** Less than one bit, a quarter of the power of the noise, is not worth an op. */
const worthwhile = 4;

/**
 * Numbers that make the channels of a cache reach equally far, or all 1 where that would save less than a bit: an encoding of eight bits for
 * all of them follows the largest, which in keys of trained models is tens of times the middle one. Powers of two would round to as
 * much as 1.4 times the reach, at a cost of 3 dB.
 * @param reaches the largest magnitude of each channel
 * @param weights how much each channel counts: the reach of what it is multiplied by
 */
export function cacheDivisors(reaches: readonly number[], weights?: readonly number[]): number[] {
  const middle = [...reaches].sort((a, b) => a - b)[reaches.length >> 1]!;
  if (!(middle > 0)) return reaches.map(() => 1);
  const divisors = reaches.map((reach) => Math.fround(Math.max(reach / middle, smallest)));
  const noise = (of: readonly number[]): number => {
    const step = reaches.reduce((most, reach, c) => Math.max(most, reach / of[c]!), 0);
    return of.reduce((sum, d, c) => sum + (step * d * (weights?.[c] ?? 1)) ** 2, 0);
  };
  const ones = reaches.map(() => 1);
  return noise(ones) >= worthwhile * noise(divisors) ? divisors : ones;
}

export const isPlain = (divisors: readonly number[]): boolean => divisors.every((d) => d === 1);

/** Names of what the pass makes, by that of the attention. */
export const balancedNames = (attention: string) => ({
  queries: `${attention}.queries`,
  keys: `${attention}.keys`,
  values: `${attention}.values`,
  /** What the attention yielded before: it now yields a mean of divided values. */
  whole: `${attention}.whole`,
});

/**
 * Keys and values are kept with each channel divided by a number, so that few bits hold all channels equally well. Queries are
 * multiplied by what keys were divided by, which leaves their products as they are, and results by what values were divided by. Keys are
 * divided after they were turned: a turn mixes channels.
 * @param divisors by the name of the attention
 * @throws HeddleError for divisors of another number of channels
 */
export const balanceCaches = (divisors: ReadonlyMap<string, CacheDivisors>): Pass =>
  pass(
    "balance-caches",
    (graph, context) => {
      const ofKeys = new Map<Node, CachedHeads>();
      const ofValues = new Map<Node, CachedHeads>();
      const known = new Map<Node, CacheDivisors>();
      const shown = nodeNames(graph);
      for (const heads of cachedHeads(graph)) {
        const found = divisors.get(shown.get(heads.attention)!);
        if (!found) continue;
        check(heads, found);
        known.set(heads.attention, found);
        if (!isPlain(found.keys)) ofKeys.set(heads.keys, heads);
        if (!isPlain(found.values)) ofValues.set(heads.values, heads);
      }
      return mapGraph(graph, (n, original) => {
        const heads = ofKeys.get(original) ?? ofValues.get(original);
        if (heads) {
          const isKey = ofKeys.has(original);
          const { keys, values } = known.get(heads.attention)!;
          const names = balancedNames(shown.get(heads.attention)!);
          const [cache, slice, position] = n.inputs as [Node, Node, Node];
          context.hit(isKey ? "divide-keys" : "divide-values");
          const divided = isKey ? dividedKeys(slice, keys, names.keys) : times(slice, values, over, names.values);
          return n.op.build([cache, divided, position], n.attrs, n);
        }
        const found = known.get(original);
        if (!found) return n;
        const names = balancedNames(shown.get(original)!);
        const [q, ...rest] = n.inputs as [Node, Node, Node, Node];
        const scale = n.attrs.scale as number;
        const isDivided = !isPlain(found.keys);
        const queries = isDivided ? times(q, found.keys, (d) => d * scale, names.queries) : q;
        const attrs = isDivided ? { ...n.attrs, scale: 1 } : n.attrs;
        const mixed = n.op.build([queries, ...rest], attrs, n);
        return isPlain(found.values) ? mixed : times(mixed, found.values, (d) => d, names.whole);
      });
    },
    {
      doc: "Channels of keys and values are divided before they are kept, so that eight bits hold all of them.",
      prove: (before: Module, after: Module, options) =>
        prove(before.graph, withWholeCaches(after.graph, divisors), options),
    },
  );

/** @throws HeddleError for divisors of another number of channels. */
function check({ attention, keys }: CachedHeads, divisors: CacheDivisors): void {
  const [groups, dim] = keys.type.shape as [number, number];
  const found = [divisors.keys.length, divisors.values.length];
  if (found.every((n) => n === groups * dim)) return;
  throw new HeddleError(`has ${groups * dim} channels of keys and of values; divisors are of ${found.join(" and ")}`, {
    subject: describe(attention),
    loc: attention.loc,
    hint: "calibrate again: compile without --calibration, or with a text",
  });
}

const over = (d: number): number => 1 / d;

/** x [heads, rows, dim] times a number for each channel; heads of a group share theirs. */
function times(x: Node, divisors: readonly number[], of: (d: number) => number, name: string): Node {
  const [heads, , dim] = x.type.shape as [number, unknown, number];
  const repeats = (heads * dim) / divisors.length;
  const values = Array.from({ length: heads }, (_, h) => {
    const group = Math.floor(h / repeats);
    return divisors.slice(group * dim, (group + 1) * dim).map(of);
  }).flat();
  return inPlaceOf(x, name, () => {
    const factors = constant({ dtype: x.type.dtype, shape: [heads, 1, dim], values });
    return mul.build([x, factors], {}, { name, loc: x.loc });
  });
}

/** Keys are kept transposed, [groups, dim, rows]; they are divided while their channels still lie beside each other. */
function dividedKeys(slice: Node, divisors: readonly number[], name: string): Node {
  if (slice.op === transpose)
    return slice.op.build([times(slice.inputs[0]!, divisors, over, name)], slice.attrs, slice);
  const turned = transpose(slice, { perm: [0, 2, 1] });
  return transpose(times(turned, divisors, over, name), { perm: [0, 2, 1] });
}

/** The same graph with caches that hold whole keys and values: what a proof compares. */
function withWholeCaches(g: Graph, divisors: ReadonlyMap<string, CacheDivisors>): Graph {
  const factors = new Map<Node, readonly [divisors: readonly number[], shape: number[]]>();
  const shown = nodeNames(g);
  for (const { attention, keys, values } of cachedHeads(g)) {
    const found = divisors.get(shown.get(attention)!);
    if (!found) continue;
    const [groups, dim] = keys.type.shape as [number, number];
    factors.set(keys.inputs[0]!, [found.keys, [groups, dim, 1]]);
    factors.set(values.inputs[0]!, [found.values, [groups, 1, dim]]);
  }
  const by = (x: Node, cache: Node, of: (d: number) => number): Node => {
    const found = factors.get(cache);
    if (!found) return x;
    return mul(x, constant({ dtype: x.type.dtype, shape: found[1], values: found[0].map(of) }));
  };
  const mapped = mapGraph(g, (n) => by(n, n, over));
  const state = g.state.map(({ cache }, i) => ({ cache, next: by(mapped.state[i]!.next, cache, (d) => d) }));
  return makeGraph(g.name, { inputs: g.inputs, outputs: mapped.outputs, state });
}
