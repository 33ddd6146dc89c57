/**
 * Numeric proof of a pass: the graph before and the graph after are evaluated by the reference interpreter on the same random
 * inputs and weights, in f64 (where only a real difference shows) and in f32 (where a numerically worse form shows).
 */
import type { Loc } from "../ir/error.ts";
import { evaluate } from "../ir/evaluate/evaluate.ts";
import type { Data, Precision, Tensor } from "../ir/evaluate/tensor.ts";
import { bind, type Graph, topo } from "../ir/graph.ts";
import { describe, type Node } from "../ir/node.ts";
import { gather } from "../ir/ops/gather.ts";
import { param } from "../ir/ops/param.ts";
import { resolveAxis } from "../ir/ops/support/axis.ts";
import { symbols } from "../ir/print.ts";
import { elements, sameShape, sameType } from "../ir/type.ts";
import { randomTensor } from "./support/random.ts";

export interface ProofOptions {
  /** Seed of inputs and weights. */
  readonly seed: number;
  /** Sizes for symbols; those not named get small ones. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Largest difference relative to the largest value of an output. */
  readonly tolerance: Readonly<Record<Precision, number>>;
}

export interface Difference {
  readonly output: string;
  readonly precision: Precision;
  /** Largest difference, relative to the largest value; NaN where one of them is. */
  readonly error: number;
  readonly allowed: number;
  /** The first value, in order of computation, that is named in both graphs and differs. */
  readonly first?: { readonly node: string; readonly loc?: Loc | undefined; readonly error: number };
}

export interface Proof {
  readonly sizes: Readonly<Record<string, number>>;
  /** Largest relative difference found in each precision. */
  readonly error: Readonly<Record<Precision, number>>;
  /** What speaks against the pass; none for one that is proved. */
  readonly difference?: Difference;
}

export const precisions: readonly Precision[] = ["f64", "f32"];

/** Models above this many weights are evaluated on a handful of tokens, others on enough to cross a tile of 64. */
const smallModel = 5_000_000;
export const isSmall = (g: Graph): boolean =>
  topo(g).reduce((n, p) => n + (p.op === param ? elements(p.type.shape) : 0), 0) < smallModel;

/** Small sizes for the symbols of a graph. */
export function proofSizes(g: Graph, given: Readonly<Record<string, number>>): Record<string, number> {
  const tokens = isSmall(g) ? 70 : 5;
  const fit = (min: number, max: number) =>
    Math.min(max, min > 1 ? Math.max(min, 2 * tokens - ((2 * tokens) % min)) : tokens);
  return Object.fromEntries(symbols(g).map((s) => [s.sym, given[s.sym] ?? fit(s.min, s.max)]));
}

export const randomParams = (seed: number) => (name: string, type: Node["type"]) => randomTensor(name, type, seed);

/** How many rows the smallest table has that is looked up with an input; undefined for one that is no index. */
export function tableRows(g: Graph, index: Node): number | undefined {
  const rows = topo(g).flatMap((n) =>
    n.op === gather && n.inputs[1] === index
      ? [n.inputs[0]!.type.shape[resolveAxis(n.attrs.axis as number, n.inputs[0]!.type.shape)] as number]
      : [],
  );
  return rows.length ? Math.min(...rows) : undefined;
}

/** Random values for the inputs of a bound graph. Indices stay inside the tables that they look up. */
function randomInputs(g: Graph, sizes: Readonly<Record<string, number>>, seed: number): Record<string, Data> {
  // An index that no table is asked for counts positions: a sequence that starts there must still fit.
  const bound = Object.values(sizes);
  const spare = bound.length > 1 ? Math.max(...bound) - Math.min(...bound) : 8;
  return Object.fromEntries(
    g.inputs.map((n) => [n.name!, randomTensor(n.name!, n.type, seed, tableRows(g, n) ?? spare + 1)]),
  );
}

/** Largest difference relative to the largest value of `a`. */
export function relativeError(a: Data, b: Data): number {
  let difference = 0;
  let largest = Number.MIN_VALUE;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    const d = Math.abs(a[i]! - b[i]!);
    if (!(d <= difference)) difference = d;
    if (Number.isNaN(d)) return Number.NaN;
  }
  // Beside an infinity every difference would be nothing.
  for (const x of a) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  return difference / largest;
}

/** What a graph gave in f64: what one pass yields is what the next one starts from. */
const results = new WeakMap<Graph, { readonly key: string; readonly values: readonly Tensor[] }>();

/** Proves that two graphs with the same inputs and outputs compute the same. */
export function prove(before: Graph, after: Graph, options: ProofOptions): Proof {
  const sizes = { ...proofSizes(before, options.sizes), ...proofSizes(after, options.sizes) };
  const [a, b] = [bind(before, sizes), bind(after, sizes)];
  sameInterface(a, b);
  const inputs = randomInputs(a, sizes, options.seed);
  const key = JSON.stringify([sizes, options.seed]);
  const run = (g: Graph, precision: Precision, observe?: (n: Node, t: Tensor) => void) => {
    const { outputs, state } = evaluate(g, {
      inputs,
      precision,
      params: randomParams(options.seed),
      ...(observe && { observe }),
    });
    return [...outputs, ...state];
  };
  const error = { f64: 0, f32: 0 };
  const known = results.get(before);
  const truth = known?.key === key ? known.values : run(a, "f64");
  for (const precision of precisions) {
    const found = run(b, precision);
    if (precision === "f64") results.set(after, { key, values: found });
    for (const [i, t] of truth.entries()) {
      const e = relativeError(t.data, found[i]!.data);
      if (!(e <= error[precision])) error[precision] = e;
      const allowed = options.tolerance[precision];
      if (e <= allowed) continue;
      const first = firstDifference(
        (see) => run(a, "f64", see),
        (see) => run(b, precision, see),
        allowed,
      );
      const output = [...a.outputs, ...a.state.map((s) => s.next)][i]!;
      return {
        sizes,
        error,
        difference: { output: describe(output), precision, error: e, allowed, ...(first && { first }) },
      };
    }
  }
  return { sizes, error };
}

function sameInterface(a: Graph, b: Graph): void {
  const abi = (g: Graph) => [g.inputs.length, g.outputs.length, g.state.length].join();
  const all = (g: Graph) => [...g.inputs, ...g.outputs];
  const same =
    abi(a) === abi(b) &&
    all(a).every((n, i) => sameType(n.type, all(b)[i]!.type)) &&
    a.inputs.every((n, i) => n.name === b.inputs[i]!.name);
  if (!same)
    throw new Error("the pass changes inputs or outputs: give it a proof of its own, pass(name, run, { doc, prove })");
}

type Run = (observe: (n: Node, t: Tensor) => void) => unknown;

/** Evaluates both again, keeping what is named, and compares by name in the order of the second. */
function firstDifference(before: Run, after: Run, allowed: number): Difference["first"] {
  const known = new Map<string, Tensor>();
  before((n, t) => n.name !== undefined && known.set(n.name, t));
  let first: Difference["first"];
  after((n, t) => {
    const other = n.name === undefined ? undefined : known.get(n.name);
    if (first || !other || !sameShape(other.shape, t.shape)) return;
    const error = relativeError(other.data, t.data);
    if (!(error <= allowed)) first = { node: describe(n), loc: n.loc, error };
  });
  return first;
}
