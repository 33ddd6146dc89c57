import { HeddleError } from "../ir/error.ts";
import { type Graph, graph as makeGraph, mapGraph, topo, usersOf } from "../ir/graph.ts";
import { describe, type Node } from "../ir/node.ts";
import {
  add,
  cachedAttention,
  constant,
  flashCachedAttention,
  kvAppend,
  mergeHeads,
  mul,
  sub,
  transpose,
} from "../ir/ops/index.ts";
import { nodeNames } from "../ir/print.ts";
import type { Module } from "../ir/program.ts";
import { type Pass, pass } from "./pass.ts";
import { prove } from "./prove.ts";
import { type CacheDivisors, isPlain } from "./support/cache-divisors.ts";
import { HeldFactors, type Holder, Holders } from "./support/held-factors.ts";
import { inPlaceOf } from "./support/naming.ts";

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

/** Names of what the pass makes, by that of the attention. */
export const balancedNames = (attention: string) => ({
  queries: `${attention}.queries`,
  keys: `${attention}.keys`,
  values: `${attention}.values`,
  centred: `${attention}.centred`,
  /** What the attention yielded before: it now yields a mean of divided values. */
  whole: `${attention}.whole`,
  /** The same with what was taken from values. */
  moved: `${attention}.moved`,
});

/** Where factors of one attention go. */
export interface CachePlaces {
  /** Weights that hold those of an operand; what is absent takes an op. */
  readonly queries: Holder | undefined;
  readonly keys: Holder | undefined;
  readonly values: Holder | undefined;
  /**
   * What is multiplied of the result: heads side by side in one row, where nothing else reads the attention. For one token on HTP that
   * is one row of tiles; as [heads, 1, dim] each head would be tiles of its own, all padding but for one row.
   */
  readonly result: Node;
}

export function cachePlaces(g: Graph): Map<Node, CachePlaces> {
  const holders = new Holders(g);
  const users = usersOf(g);
  return new Map(
    cachedHeads(g).map(({ attention, keys, values }) => {
      const [reader, ...others] = users.get(attention) ?? [];
      const isMerged = reader?.op === mergeHeads && others.length === 0 && !g.outputs.includes(attention);
      return [
        attention,
        {
          queries: holders.of(attention.inputs[0]!),
          keys: holders.of(keys.inputs[1]!),
          values: holders.of(values.inputs[1]!),
          result: isMerged ? reader : attention,
        },
      ];
    }),
  );
}

/**
 * Keys and values are kept with each channel divided by a number, so that few bits hold all channels equally well. Queries are
 * multiplied by what keys were divided by, which leaves their products as they are, and results by what values were divided by. The
 * weights of the linear before hold these numbers where nothing but moves lies between. Keys that are turned are divided after that, with
 * an op: a turn mixes channels. From values those of a text's first token may be taken, too, and results get them back.
 * @param divisors by the name of the attention
 * @throws HeddleError for divisors of another number of channels
 */
export const balanceCaches = (divisors: ReadonlyMap<string, CacheDivisors>): Pass =>
  pass(
    "balance-caches",
    (graph, context) => {
      const ofKeys = new Map<Node, CachedHeads>();
      const ofValues = new Map<Node, CachedHeads>();
      const ofResults = new Map<Node, CachedHeads>();
      const known = new Map<Node, CacheDivisors>();
      const held = new HeldFactors();
      const places = cachePlaces(graph);
      const shown = nodeNames(graph);
      for (const heads of cachedHeads(graph)) {
        const found = divisors.get(shown.get(heads.attention)!);
        if (!found) continue;
        check(heads, found);
        known.set(heads.attention, found);
        const { queries, keys, values, result } = places.get(heads.attention)!;
        const hold = (holder: Holder, factors: readonly number[], what: string) => {
          held.hold(holder, factors);
          context.hit(`hold-${what}`);
        };
        if (!isPlain(found.keys)) {
          if (keys) hold(keys, found.keys.map(over), "keys");
          else ofKeys.set(heads.keys, heads);
          if (queries) hold(queries, forHeads(heads.attention, found.keys), "queries");
        }
        if (!isPlain(found.values)) {
          if (values) hold(values, found.values.map(over), "values");
          else ofValues.set(heads.values, heads);
          ofResults.set(result, heads);
        }
        if (found.origins) {
          ofValues.set(heads.values, heads);
          ofResults.set(result, heads);
        }
      }
      const attended = (n: Node, original: Node): Node => {
        const found = known.get(original);
        if (!found || isPlain(found.keys) || places.get(original)!.queries) return n;
        const [q, ...rest] = n.inputs as [Node, Node, Node, Node];
        const scale = n.attrs.scale as number;
        const queries = times(q, found.keys, (d) => d * scale, balancedNames(shown.get(original)!).queries);
        return n.op.build([queries, ...rest], { ...n.attrs, scale: 1 }, n);
      };
      return mapGraph(graph, (n, original) => {
        const heads = ofKeys.get(original) ?? ofValues.get(original);
        if (heads) {
          const isKey = ofKeys.has(original);
          const { keys, values, origins } = known.get(heads.attention)!;
          const names = balancedNames(shown.get(heads.attention)!);
          const [cache, slice, position] = n.inputs as [Node, Node, Node];
          const isDivided = isKey || !(isPlain(values) || places.get(heads.attention)!.values);
          if (isDivided) context.hit(isKey ? "divide-keys" : "divide-values");
          if (!isKey && origins) context.hit("move-values");
          const ofValue = (x: Node) =>
            plus(
              isDivided ? times(x, values, over, names.values) : x,
              origins?.map((o, c) => -o / values[c]!),
              names.centred,
            );
          const divided = isKey ? dividedKeys(slice, keys, names.keys) : ofValue(slice);
          return n.op.build([cache, divided, position], n.attrs, n);
        }
        const made = held.into(attended(n, original), original);
        const attention = ofResults.get(original)?.attention;
        if (!attention) return made;
        const { values, origins } = known.get(attention)!;
        const names = balancedNames(shown.get(attention)!);
        const whole = isPlain(values) ? made : times(made, values, (d) => d, names.whole, attention);
        return plus(whole, origins, names.moved, attention);
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
  if ([...found, divisors.origins?.length ?? groups * dim].every((n) => n === groups * dim)) return;
  const origins = divisors.origins ? `, origins of ${divisors.origins.length}` : "";
  const which = `divisors are of ${found.join(" and ")}${origins}`;
  throw new HeddleError(`has ${groups * dim} channels of keys and of values; ${which}`, {
    subject: describe(attention),
    loc: attention.loc,
    hint: "calibrate again: compile without --calibration, or with a text",
  });
}

const over = (d: number): number => 1 / d;

/** For each channel of the heads x [heads, rows, dim] its number: heads of a group share theirs. */
function forHeads(x: Node, divisors: readonly number[]): number[] {
  const [heads, , dim] = x.type.shape as [number, unknown, number];
  const repeats = (heads * dim) / divisors.length;
  return Array.from({ length: heads }, (_, h) => {
    const group = Math.floor(h / repeats);
    return divisors.slice(group * dim, (group + 1) * dim);
  }).flat();
}

/** x [heads, rows, dim], or such heads side by side, times a number for each channel. */
function times(x: Node, divisors: readonly number[], of: (d: number) => number, name: string, heads = x): Node {
  return inPlaceOf(x, name, () => mul.build([x, channelsOf(x, divisors.map(of), heads)], {}, { name, loc: x.loc }));
}

/** The same, with a number added. */
function plus(x: Node, numbers: readonly number[] | undefined, name: string, heads = x): Node {
  if (!numbers) return x;
  return inPlaceOf(x, name, () => add.build([x, channelsOf(x, numbers, heads)], {}, { name, loc: x.loc }));
}

/** A number for each channel of x, as `forHeads` has them. */
function channelsOf(x: Node, numbers: readonly number[], heads: Node): Node {
  const values = forHeads(heads, numbers);
  const [count, , dim] = heads.type.shape as [number, unknown, number];
  const shape = x.type.shape.length === 2 ? [values.length] : [count, 1, dim];
  return constant({ dtype: x.type.dtype, shape, values });
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
  const whole = new Map<
    Node,
    { divisors: readonly number[]; origins?: readonly number[] | undefined; shape: number[] }
  >();
  const shown = nodeNames(g);
  for (const { attention, keys, values } of cachedHeads(g)) {
    const found = divisors.get(shown.get(attention)!);
    if (!found) continue;
    const [groups, dim] = keys.type.shape as [number, number];
    whole.set(keys.inputs[0]!, { divisors: found.keys, shape: [groups, dim, 1] });
    whole.set(values.inputs[0]!, { divisors: found.values, origins: found.origins, shape: [groups, 1, dim] });
  }
  const converted = (x: Node, cache: Node, isWhole: boolean): Node => {
    const found = whole.get(cache);
    if (!found) return x;
    const { divisors, shape } = found;
    const of = (values: readonly number[]) => constant({ dtype: x.type.dtype, shape, values });
    const origins = of(found.origins ?? divisors.map(() => 0));
    return isWhole ? mul(sub(x, origins), of(divisors.map(over))) : add(mul(x, of(divisors)), origins);
  };
  const mapped = mapGraph(g, (n) => converted(n, n, true));
  const state = g.state.map(({ cache }, i) => ({ cache, next: converted(mapped.state[i]!.next, cache, false) }));
  return makeGraph(g.name, { inputs: g.inputs, outputs: mapped.outputs, state });
}
