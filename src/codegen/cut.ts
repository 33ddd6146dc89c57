/**
 * A module cut into parts that run one after the other, each a program of its own: for models that are larger than what one context
 * of an NPU holds. The cuts are values through which everything goes that later layers see of the tokens, which in a transformer are
 * the sums of its residual stream. What depends on positions alone is computed again in every part.
 */
import { HeddleError } from "../ir/error.ts";
import { type Graph, graph as makeGraph, mapGraph, topoFrom } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import { inputOp } from "../ir/ops/input.ts";
import type { Module } from "../ir/program.ts";
import { bytesOf, isFloat, type Shape, type TensorType } from "../ir/type.ts";
import { findStatic } from "./statics.ts";

/** Where a part was cut off: names of the values, which encodings are known by. Nothing at the ends of the program. */
export interface Seams {
  /** What the part before it leaves and this one goes on from, as input `hidden`. */
  readonly from?: string;
  /** What it leaves for the next one. */
  readonly to?: string;
}

export interface Part {
  readonly module: Module;
  readonly seams: Seams;
  /** The first and the last scope in it: `h0-h8`, or `embedding-h3` and `h4-head` at the ends of a model. */
  readonly scopes: string;
  /** Bytes of the weights that it reads. */
  readonly bytes: number;
}

/** A stretch between neighbouring values where a graph can be cut: a layer, or what is before the first or behind the last. */
interface Stretch {
  /** What it ends with; the last one with what the graph yields. */
  readonly end: Node;
  readonly scope: string;
  /** Its weights. */
  readonly weights: ReadonlySet<Node>;
}

/** Bytes that a weight counts with; by default those that it has where it stands. */
export type Measure = (type: TensorType) => number;

const isStaticShape = (shape: Shape): boolean => shape.every((d) => typeof d === "number");

const bytesIn = (stretches: readonly Stretch[], measure: Measure = bytesOf): number => {
  const weights = new Set(stretches.flatMap((s) => [...s.weights]));
  return [...weights].reduce((sum, n) => sum + measure(n.type), 0);
};

/** `h3` of `h3.attended`. */
const scopeOf = ({ name }: Node): string | undefined => /^(.*?\d)\./.exec(name ?? "")?.[1];

/** How many parts it takes at least for none to have more than `limit` bytes of weights. @throws HeddleError where a layer has. */
export function partsWithin(module: Module, limit: number, measure: Measure = bytesOf): number {
  const stretches = stretchesOf(module.graph);
  const large = stretches.find((s) => bytesIn([s], measure) > limit);
  if (large)
    throw new HeddleError(`has ${bytesIn([large], measure)} bytes of weights; a part holds ${limit}`, {
      subject: /\d$/.test(large.scope) ? `layer ${large.scope}` : `the ${large.scope}`,
      hint: "fewer bits for each weight: --precision f16, w8a16 or w4a16",
    });
  let count = 1;
  while (Math.max(...divide(stretches, count, measure).map((g) => bytesIn(g, measure))) > limit) count++;
  return count;
}

/** How many parts a module can be cut into. */
export const mostParts = ({ graph }: Module): number => stretchesOf(graph).length;

/** Cuts a module into `count` parts whose weights are as even as they can be. @throws HeddleError where it has not as many layers. */
export function cut(module: Module, count: number, measure: Measure = bytesOf): Part[] {
  const stretches = stretchesOf(module.graph);
  if (count > stretches.length)
    throw new HeddleError(`cannot be cut into ${count} parts`, {
      subject: `graph @${module.graph.name}`,
      hint:
        stretches.length > 1
          ? `at most ${stretches.length}: layers, and what is before and behind them`
          : "it has no layers",
    });
  const groups = divide(stretches, count, measure);
  let hidden: Node | undefined;
  return groups.map((group, i): Part => {
    const isLast = i === groups.length - 1;
    const end = isLast ? undefined : group.at(-1)!.end;
    const part: Part = {
      module: { ...module, graph: between(module.graph, hidden, end), ...(end && { rows: "all" as const }) },
      seams: { ...(hidden?.name && { from: hidden.name }), ...(end?.name && { to: end.name }) },
      scopes: [...new Set([group[0]!.scope, group.at(-1)!.scope])].join("-"),
      bytes: bytesIn(group, measure),
    };
    hidden = end;
    return part;
  });
}

/** What `to` (or the graph's results) is computed from when `from` is given, as input `hidden`. */
function between(g: Graph, from: Node | undefined, to: Node | undefined): Graph {
  const outputs = to ? [to] : g.outputs;
  const wanted = new Set(topoFrom(outputs, from ? [from] : []));
  const state = g.state.filter((s) => wanted.has(s.next));
  const inputs = g.inputs.filter((n) => wanted.has(n));
  const part = makeGraph(g.name, { inputs, outputs, state });
  if (!from) return part;
  const { dtype, shape } = from.type;
  const hidden = inputOp.build([], { dtype, shape }, { name: "hidden", ...(from.loc && { loc: from.loc }) });
  const cut = mapGraph(part, (n, original) => (original === from ? hidden : n));
  return makeGraph(g.name, { inputs: [hidden, ...cut.inputs], outputs: cut.outputs, state: cut.state });
}

/** What stands before the first layer and behind the last one: of a language model the lookup of tokens, and the logits. */
const [before, behind] = ["embedding", "head"];

/** The graph from layer to layer; all of it where it has none. */
function stretchesOf(g: Graph): Stretch[] {
  const known = findStatic(g);
  const seen = new Set<Node>();
  const weightsUpTo = (end: readonly Node[]): ReadonlySet<Node> => {
    const nodes = topoFrom(end, seen).filter((n) => !known.has(n));
    for (const n of nodes) seen.add(n);
    // What has as many rows as there are tokens is counted out, and is no weight to speak of.
    return new Set(nodes.flatMap((n) => n.inputs.filter((x) => known.has(x) && isStaticShape(x.type.shape))));
  };
  const ends = cutsOf(g, known);
  const [result] = g.outputs;
  // Of some layers without a head the last one ends with the result itself.
  const isInside = ends.has(scopeOf(result!) ?? behind);
  if (!isInside) ends.set(ends.size > 0 ? behind : "model", result!);
  const all = [...ends];
  return all.map(([scope, end], i) => ({
    end,
    scope,
    weights: weightsUpTo(i === all.length - 1 ? g.outputs : [end]),
  }));
}

/** Of every scope, and of what is before the first, the last value that all of what follows sees the tokens through. */
function cutsOf(g: Graph, known: ReadonlySet<Node>): Map<string, Node> {
  const [tokens] = g.inputs;
  const behind = new Set<Node>([tokens!]);
  const order = topoFrom(g.outputs).filter((n) => {
    if (!known.has(n) && n.inputs.some((x) => behind.has(x))) behind.add(n);
    return behind.has(n);
  });
  const place = new Map(order.map((n, i) => [n, i]));
  const lastReader = new Map<Node, number>();
  for (const n of order) for (const x of n.inputs) if (place.has(x)) lastReader.set(x, place.get(n)!);
  const cuts = new Map<string, Node>();
  // In an order of the values, one that no reading jumps over.
  let furthest = 0;
  for (const [i, n] of order.entries()) {
    const isStart = cuts.size === 0 || (cuts.size === 1 && cuts.has(before));
    const scope = scopeOf(n) ?? (isStart ? before : undefined);
    if (i > 0 && furthest <= i && scope !== undefined && isFloat(n.type.dtype) && !g.outputs.includes(n))
      cuts.set(scope, n);
    furthest = Math.max(furthest, lastReader.get(n) ?? 0);
  }
  // Without a layer there is nothing to cut.
  return cuts.size === 1 && cuts.has(before) ? new Map() : cuts;
}

/**
 * Neighbours together, so that the largest group has as few bytes as possible, of equal divisions the evener one: by dynamic
 * programming over where groups begin.
 */
function divide(stretches: readonly Stretch[], count: number, measure: Measure): Stretch[][] {
  const bytes = stretches.map((s) => bytesIn([s], measure));
  const sum = (from: number, to: number) => bytes.slice(from, to).reduce((a, b) => a + b, 0);
  interface Division {
    readonly most: number;
    /** Sum of the squares of the groups' bytes: of equal sums the least is of those that are most even. */
    readonly squares: number;
    readonly begins: readonly number[];
  }
  const isBetter = (a: Division, b: Division) => a.most < b.most || (a.most === b.most && a.squares < b.squares);
  /** The first `n` stretches in some groups. */
  let best = bytes.map((_, n): Division => ({ most: sum(0, n + 1), squares: sum(0, n + 1) ** 2, begins: [0] }));
  for (let groups = 2; groups <= count; groups++)
    best = best.map((_, n) => {
      let found: Division = { most: Number.POSITIVE_INFINITY, squares: 0, begins: [] };
      for (let begin = groups - 1; begin <= n; begin++) {
        const before = best[begin - 1]!;
        const last = sum(begin, n + 1);
        const all = {
          most: Math.max(before.most, last),
          squares: before.squares + last ** 2,
          begins: [...before.begins, begin],
        };
        if (before.begins.length === groups - 1 && isBetter(all, found)) found = all;
      }
      return found;
    });
  const { begins } = best.at(-1)!;
  return begins.map((begin, i) => stretches.slice(begin, begins[i + 1]));
}
