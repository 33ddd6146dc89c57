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
  iota,
  kvAppend,
  less,
  matmul,
  mul,
  reshape,
  scalar,
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
 * softmax(q [Kc, Ks] + bias) [Vc; Vs]: the cache and the new slice are joined on the way into the product. Measured on HTP, this
 * beats joining the scores instead, which spares the copy but takes two more products (docs/htp-legalisation.md).
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
  // What is in fixed point is joined as it is: half the bytes to copy.
  const joined = (parts: Node[], axis: number) => inFloats(concat(parts, { axis }), q.type);
  const scores = perHead(matmul(grouped, joined([keyCache!, keySlice!], 2)), places + rows);
  const bias = concat([cacheBias(position, rows, places, window), sliceBias(rows, window)], { axis: 1 });
  const weights = perGroup(softmax(add(scores, bias)), places + rows);
  return perHead(matmul(weights, joined([valueCache!, valueSlice!], 1)), dim);
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
