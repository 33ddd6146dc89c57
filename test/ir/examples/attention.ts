/** Attention by its definition, one score at a time, and examples of the four attention ops against it. */
import * as ir from "../../../src/ir/index.ts";
import { type Example, noise, range } from "./example.ts";

export interface Problem {
  readonly heads: number;
  readonly groups: number;
  readonly dim: number;
  /** Queries, and keys (or places of the cache). */
  readonly queries: number;
  readonly keys: number;
  readonly window?: number;
  readonly causal?: boolean;
  /** Places filled before this run; only for a cache. */
  readonly position?: number;
}

/** q [H, T, D], k and v [G, S, D] in rows. */
export const operandsOf = (p: Problem) => ({
  q: noise(p.heads * p.queries * p.dim, 61).map((v) => v * 3),
  k: noise(p.groups * p.keys * p.dim, 62).map((v) => v * 3),
  v: noise(p.groups * p.keys * p.dim, 63),
});

/** k as a cache holds it: [G, D, C]. */
export const transposedKeys = (p: Problem, k: readonly number[]): number[] =>
  range(k.length).map((n) => {
    const [g, d, s] = [Math.floor(n / (p.dim * p.keys)), Math.floor(n / p.keys) % p.dim, n % p.keys];
    return k[(g * p.keys + s) * p.dim + d]!;
  });

export function attentionBy(p: Problem, scale: number): number[] {
  const { q, k, v } = operandsOf(p);
  const { causal = true, window = 0, position = p.keys - p.queries } = p;
  const at = (x: readonly number[], row: number): readonly number[] => x.slice(row * p.dim, (row + 1) * p.dim);
  return range(p.heads * p.queries).flatMap((n) => {
    const [h, i] = [Math.floor(n / p.queries), n % p.queries];
    const group = Math.floor((h * p.groups) / p.heads);
    const here = position + i;
    const visible = causal ? range(here + 1).filter((j) => !window || j > here - window) : range(p.keys);
    // A ring holds position j at place j modulo its size.
    const seen = visible.map((j) => j % p.keys);
    const scores = seen.map((j) => scale * at(k, group * p.keys + j).reduce((sum, x, d) => sum + x * at(q, n)[d]!, 0));
    const most = Math.max(...scores);
    const weights = scores.map((s) => Math.exp(s - most));
    const total = weights.reduce((a, b) => a + b, 0);
    return range(p.dim).map((d) =>
      weights.reduce((sum, w, m) => sum + (w / total) * at(v, group * p.keys + seen[m]!)[d]!, 0),
    );
  });
}

/** Operand nodes in rows and as a cache. */
export const rowNodes = (p: Problem) =>
  [
    ir.input("q", "f32", p.heads, p.queries, p.dim),
    ir.input("k", "f32", p.groups, p.keys, p.dim),
    ir.input("v", "f32", p.groups, p.keys, p.dim),
  ] as const;
export const cacheNodes = (p: Problem) =>
  [
    ir.input("q", "f32", p.heads, p.queries, p.dim),
    ir.input("k", "f32", p.groups, p.dim, p.keys),
    ir.input("v", "f32", p.groups, p.keys, p.dim),
    ir.input("position", "i32", 1),
  ] as const;

const show = (p: Problem) => JSON.stringify(p).replace(/["{}]/g, "");
const inRows =
  (op: (p: Problem) => ir.Node) =>
  (p: Problem): Example => ({
    case: show(p),
    build: () => op(p),
    inputs: operandsOf(p),
    expected: attentionBy(p, 0.5),
  });
const inCache =
  (op: (p: Problem) => ir.Node) =>
  (p: Problem): Example => {
    const { q, k, v } = operandsOf(p);
    return {
      case: show(p),
      build: () => op(p),
      inputs: { q, k: transposedKeys(p, k), v, position: [p.position!] },
      expected: attentionBy(p, 0.5),
    };
  };

const small = { heads: 4, groups: 4, dim: 2 };
const rowProblems: Problem[] = [
  { ...small, queries: 5, keys: 5 },
  { ...small, groups: 2, queries: 5, keys: 5 },
  { ...small, groups: 1, queries: 3, keys: 7, window: 2 },
  { ...small, queries: 3, keys: 2, causal: false },
];
const cacheProblems: Problem[] = [
  { ...small, queries: 1, keys: 8, position: 5 },
  { ...small, groups: 2, queries: 3, keys: 8, position: 0 },
  { ...small, groups: 1, queries: 2, keys: 9, position: 7, window: 3 },
  { ...small, groups: 1, queries: 2, keys: 9, position: 24, window: 3 },
  { ...small, groups: 2, queries: 3, keys: 5, position: 8, window: 3 },
  { ...small, queries: 1, keys: 4, position: 6, window: 4 },
  { ...small, queries: 3, keys: 5, position: 1, window: 3 },
];
const attrs = (p: Problem) => ({ scale: 0.5, causal: p.causal ?? true, window: p.window ?? 0 });
const cacheAttrs = (p: Problem) => ({ scale: 0.5, window: p.window ?? 0 });

export const attentions: Readonly<Record<string, readonly Example[]>> = {
  attention: rowProblems.map(inRows((p) => ir.attention(...rowNodes(p), attrs(p)))),
  flashAttention: rowProblems.map(
    inRows((p) => ir.flashAttention(...rowNodes(p), { ...attrs(p), blockQ: 2, blockK: 3 })),
  ),
  cachedAttention: cacheProblems.map(inCache((p) => ir.cachedAttention(...cacheNodes(p), cacheAttrs(p)))),
  flashCachedAttention: cacheProblems.map(
    inCache((p) => ir.flashCachedAttention(...cacheNodes(p), { ...cacheAttrs(p), blockQ: 2, blockK: 3 })),
  ),
};
