/**
 * Caches for targets that cannot write into their inputs: a run reads the cache as it was and yields only the new slice, which
 * the caller writes at the position. Attention sees the keys of the cache followed by those of this run.
 */
import { type Graph, graph as makeGraph, mapGraph } from "../ir/graph.ts";
import { type Node, renamed } from "../ir/node.ts";
import {
  add,
  cachedAttention,
  cast,
  concat,
  constant,
  flashCachedAttention,
  gather,
  iota,
  kvAppend,
  less,
  matmul,
  mul,
  quantize,
  reduceSum,
  reshape,
  scalar,
  slice,
  softmax,
  sub,
} from "../ir/ops/index.ts";
import { inFloats } from "../ir/ops/support/attention.ts";
import { resolveAxis } from "../ir/ops/support/axis.ts";
import { agesInRing, isRing } from "../ir/ops/support/ring.ts";
import { withOrigin } from "../ir/origin.ts";

/** A cache and the output that the caller copies into it, as positions in the graph's inputs and outputs. */
export interface HostCache {
  readonly input: number;
  readonly output: number;
  /** The axis of both along which positions grow. */
  readonly axis: number;
  /** Tokens that it must keep; 0 for all. */
  readonly window: number;
}

/** Added to the score of a key that must not be seen: far below any score, and finite in f16 too. */
const hidden = -30000;

/** The graph without state: its outputs are followed by the new slices, one per cache. The same graph where there is no state. */
export function hostCaches(g: Graph): { readonly graph: Graph; readonly caches: readonly HostCache[] } {
  if (g.state.length === 0) return { graph: g, caches: [] };
  const names = new Map<Node, string>(g.state.map((s) => [s.next.inputs[1]!, sliceName(s.cache)]));
  const split = mapGraph(g, (n, original) => {
    const name = names.get(original);
    // The name of an input is the caller's.
    if (name !== undefined && n.op.name !== "input") return renamed(n, { name });
    const [q, k, v, position] = n.inputs;
    if (n.op !== cachedAttention && n.op !== flashCachedAttention) return n;
    if (k!.op !== kvAppend || v!.op !== kvAppend) return n;
    const attrs = n.attrs as { scale: number; window: number };
    const out = withOrigin({ name: n.name, loc: n.loc }, () =>
      joinedAttention(q!, k!.inputs, v!.inputs, position!, attrs),
    );
    return renamed(out, { name: n.name, loc: n.loc });
  });
  const slices = split.state.map((s) => s.next.inputs[1]!);
  const caches = split.state.map(({ cache, next }, i) => ({
    input: split.inputs.indexOf(cache),
    output: split.outputs.length + i,
    axis: resolveAxis(next.attrs.axis as number, next.type.shape),
    window: next.attrs.window as number,
  }));
  return { graph: makeGraph(g.name, { inputs: split.inputs, outputs: [...split.outputs, ...slices] }), caches };
}

/** `h3.k_cache` yields `h3.k_slice`. */
const sliceName = (cache: Node): string => `${(cache.name ?? "cache").replace(/_cache$/, "")}_slice`;

/**
 * softmax(q [Kc, Ks] + bias) [Vc; Vs]: the cache and the new slice are joined on the way into the product, or the scores are, which
 * spares copying the cache but takes two more products. Which is faster depends on what else there is to do: docs/htp-legalisation.md.
 * q [H, T, D], cache K [G, D, C], slice K [G, D, T].
 */
function joinedAttention(
  q: Node,
  [keyCache, keySlice]: readonly Node[],
  [valueCache, valueSlice]: readonly Node[],
  position: Node,
  { scale, window }: { scale: number; window: number },
): Node {
  const [heads, rows, dim] = q.type.shape as [number, number, number];
  const [groups, , places] = keyCache!.type.shape as [number, number, number];
  const repeats = heads / groups;
  // Heads of a group lie one after the other: they are further rows for the group's keys.
  const grouped = reshape(mul(q, scalar(scale)), { shape: [groups, repeats * rows, dim] });
  const perHead = (x: Node, width: number) => reshape(x, { shape: [heads, rows, width] });
  const perGroup = (x: Node, width: number) => reshape(x, { shape: [groups, repeats * rows, width] });
  const bias = biasAt(position, rows, places, window);
  const attend = (scores: Node) => perGroup(softmax(add(perHead(scores, places + rows), bias)), places + rows);
  const row = { shape: [groups, 1, dim] };
  const cached = (x: Node | undefined) => inFloats(x!, q.type);
  if (rows === 1 && repeats === 1 && keyCache!.type.quant) {
    // The new token is one column, for which an NPU has no product: products of elements, on key and value before they were rounded.
    // Where heads share keys, there is less to copy than to compute so.
    const unrounded = (x: Node) => (x.op === quantize ? x.inputs[0]! : cached(x));
    const [key, value] = [reshape(unrounded(keySlice!), row), reshape(unrounded(valueSlice!), row)];
    const own = reduceSum(mul(grouped, key), { axis: 2, keepDims: true });
    const weights = attend(concat([matmul(grouped, cached(keyCache)), own], { axis: 2 }));
    const earlier = matmul(slice(weights, { axis: 2, start: 0, size: places }), cached(valueCache));
    return perHead(add(earlier, mul(slice(weights, { axis: 2, start: places, size: 1 }), value)), dim);
  }
  // What is in fixed point is joined as it is: half the bytes to copy.
  const joined = (parts: readonly (Node | undefined)[], axis: number) =>
    cached(concat(parts as readonly Node[], { axis }));
  const weights = attend(matmul(grouped, joined([keyCache, keySlice], 2)));
  return perHead(matmul(weights, joined([valueCache, valueSlice], 1)), dim);
}

/** Up to this many places the masks of all positions are stored: 2 MB, of which a run reads 2 KB. */
const storedMasks = 1024;

/** What is added to the scores of the places of a cache and of the tokens of this run. */
function biasAt(position: Node, rows: number, places: number, window: number): Node {
  const biases = (from: Node) => [cacheBias(from, rows, places, window), sliceBias(rows, window)] as const;
  if (rows > 1 || places > storedMasks || isRing(places, window, rows)) return concat(biases(position), { axis: 1 });
  // One row picks its mask where a few small ops would have to end before the first weights are read.
  const [cache, own] = biases(at(places, [places, 1]));
  const column = add(own, constant({ dtype: "f32", shape: [places, 1], values: [0] }));
  return gather(concat([cache, column], { axis: 1 }), position);
}

const at = (count: number, shape: readonly number[]): Node => reshape(iota({ length: count }), { shape });

/** Place j holds an earlier token where j < position; with a window, query i sees only j > position + i - window. */
function cacheBias(position: Node, rows: number, places: number, window: number): Node {
  if (isRing(places, window, rows)) return ringBias(position, rows, places, window);
  const place = at(places, [1, places]);
  const filled = bias(less(place, position));
  if (window === 0) return add(filled, constant({ dtype: "f32", shape: [rows, 1], values: [0] }));
  const first = add(sub(at(rows, [rows, 1]), scalar(window, "i32")), position);
  return add(filled, bias(less(first, place)));
}

/**
 * What lies in a ring is `age` tokens before query i where it is older than this run (i < age); what this run will overwrite is
 * at least a window older, and nothing is older than position 0.
 */
function ringBias(position: Node, rows: number, places: number, window: number): Node {
  const query = at(rows, [rows, 1]);
  const place = add(query, position);
  const age = agesInRing(place, at(places, [1, places]), places);
  const seen = [less(query, age), less(age, scalar(window, "i32")), less(age, add(place, scalar(1, "i32")))];
  return bias(seen.map(asNumber).reduce((a, b) => mul(a, b)));
}

/** Query i sees the tokens of its own run up to i; known at compile time. */
function sliceBias(rows: number, window: number): Node {
  const [query, key] = [at(rows, [rows, 1]), at(rows, [1, rows])];
  const earlier = bias(less(key, add(query, scalar(1, "i32"))));
  return window === 0 ? earlier : add(earlier, bias(less(sub(query, scalar(window, "i32")), key)));
}

/** 0 where seen. Arithmetic, because HTP selects between whole tensors only. */
const bias = (seen: Node): Node => mul(sub(scalar(1), asNumber(seen)), scalar(hidden));

const asNumber = (seen: Node): Node => (seen.type.dtype === "bool" ? cast(seen, { dtype: "f32" }) : seen);
