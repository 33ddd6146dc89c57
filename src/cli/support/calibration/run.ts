/** Runs a model on sequences with any of its values as outputs. */
import { bind, type Graph, graph, mapGraph } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import { gather } from "../../../ir/ops/index.ts";
import { symbols } from "../../../ir/print.ts";
import type { WeightSource } from "../../../weights/source.ts";
import { type GraphArray, withGraph } from "../run-graph.ts";

/** Runs a sequence from its first position, with further inputs; the next run overwrites the values that it yields. */
export type RunSequence = (
  tokens: readonly number[],
  more?: Readonly<Record<string, ArrayLike<number>>>,
) => Promise<readonly GraphArray[]>;

/** The longest sequence that is run at once. */
const longest = 256;
/** The same where a cache is a ring, which has room for its window and this many new tokens. */
const longestOfRings = 128;

const isRing = ({ sym }: { sym: string }): boolean => sym !== "T" && sym !== "C";

/** Rows of one run: what the model has positions and its caches have places for, within reason. */
export const rowsOf = (g: Graph): number => {
  const all = symbols(g);
  const most = ["T", "C"].map((name) => all.find((s) => s.sym === name)?.max ?? longest);
  return Math.min(all.some(isRing) ? longestOfRings : longest, ...most);
};

/**
 * Builds `g` with `wanted` as its outputs and hands a runner to `use`. A graph with a cache reads the whole sequence at once into
 * an empty one, and all rows go through the head: its input `last` is gone.
 */
export function withValues<T>(
  g: Graph,
  wanted: readonly Node[],
  weights: WeightSource,
  use: (run: RunSequence) => Promise<T>,
): Promise<T> {
  const bound = boundWith(g, wanted);
  const tokens = bound.inputs[0]!.name!;
  return withGraph(bound, weights, (run) => use((sequence, more = {}) => run({ ...more, [tokens]: sequence })));
}

/** The graph at fixed sizes, yielding all rows of the wanted values. */
function boundWith(g: Graph, wanted: readonly Node[]): Graph {
  const last = g.inputs.find((n) => n.name === "last");
  const whole = mapGraph(graph("calibrate", { ...g, outputs: wanted }), (n, { op, inputs }) =>
    last !== undefined && op === gather && inputs[1] === last ? n.inputs[0]! : n,
  );
  const T = rowsOf(g);
  const places = Math.ceil(T / 64) * 64;
  const caches = symbols(whole).filter((s) => s.sym !== "T");
  return bind(graph(whole.name, { ...whole, inputs: whole.inputs.filter((n) => n.name !== "last") }), {
    T,
    ...Object.fromEntries(caches.map((s) => [s.sym, Math.min(s.max, places)])),
  });
}
