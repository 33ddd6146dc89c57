/**
 * Proof of a cache: the graph without one reads a whole sequence at once; the graph with one reads it in two ragged chunks and then
 * token by token. Every row that both compute must agree.
 */
import { evaluate } from "../ir/evaluate/evaluate.ts";
import type { Data, Precision } from "../ir/evaluate/tensor.ts";
import { bind, type Graph } from "../ir/graph.ts";
import { describe } from "../ir/node.ts";
import { symbols } from "../ir/print.ts";
import type { Module } from "../ir/program.ts";
import { isSmall, type Proof, type ProofOptions, precisions, randomParams, relativeError, tableRows } from "./prove.ts";
import { randomTensor } from "./support/random.ts";

/** One run of the graph with a cache: `count` tokens in a binding of `T`, the rest padding. */
interface Step {
  readonly T: number;
  readonly count: number;
}

/**
 * Chunks that do not fill their binding, one that starts inside a cache block and, where affordable, crosses into the next; then
 * single tokens. As many steps as the model has positions for.
 */
function steps(small: boolean, positions: number): Step[] {
  const T = Math.max(2, Math.min(small ? 40 : 4, Math.floor(positions / 3)));
  const plan = [{ T, count: Math.max(1, T - 2) }, { T, count: T - 1 }, ...[1, 1, 1].map((count) => ({ T: 1, count }))];
  let total = 0;
  return plan.filter((step) => {
    total += step.count;
    return total <= positions;
  });
}

export function proveCache(before: Module, after: Module, { seed, tolerance }: ProofOptions): Proof {
  const most = (g: Graph, name: string) => symbols(g).find((s) => s.sym === name)?.max;
  // Where all caches are rings nothing is as long as the context.
  const C = Math.min(128, most(after.graph, "C") ?? 128);
  const plan = steps(isSmall(before.graph) && C >= 128, most(before.graph, "T")!);
  const rings = ringSizes(after.graph, plan[0]!.T);
  const total = plan.reduce((n, s) => n + s.count, 0);
  const params = randomParams(seed);
  const whole = bind(before.graph, { T: total });
  const input = whole.inputs[0]!;
  const name = input.name!;
  const tokens = randomTensor(name, input.type, seed, tableRows(whole, input));
  // Of a part of a model a token is a row of numbers, and all rows are wanted.
  const wide = tokens.length / total;
  const truth = evaluate(whole, { inputs: { [name]: tokens }, params, precision: "f64" }).outputs;

  const error: Record<Precision, number> = { f64: 0, f32: 0 };
  const sizes = { T: plan[0]!.T, C, ...rings };
  for (const precision of precisions) {
    const run = stepper(after.graph, name, { C, ...rings }, params, precision);
    let position = 0;
    for (const step of plan) {
      const outputs = run(tokens.subarray(position * wide, (position + step.count) * wide), position, step);
      position += step.count;
      for (const [i, all] of outputs.entries()) {
        const width = truth[i]!.data.length / total;
        const rows = after.rows === "all" ? step.count : 1;
        const row = truth[i]!.data.slice((position - rows) * width, position * width);
        const out = all.subarray(0, rows * width);
        const e = relativeError(row, out);
        if (!(e <= error[precision])) error[precision] = e;
        const allowed = tolerance[precision];
        if (e <= allowed) continue;
        const output = `${describe(after.graph.outputs[i]!)} of token ${position - 1}`;
        return { sizes, error, difference: { output, precision, error: e, allowed } };
      }
    }
  }
  return { sizes, error };
}

/** Rings as small as they may be: a sequence should come round. */
function ringSizes(g: Graph, T: number): Record<string, number> {
  const windows = new Map<string, number>();
  for (const { cache, next } of g.state)
    for (const d of cache.type.shape)
      if (typeof d !== "number" && d.sym !== "C") windows.set(d.sym, next.attrs.window as number);
  return Object.fromEntries(
    symbols(g).flatMap(({ sym, min }) => {
      const window = windows.get(sym);
      return window === undefined ? [] : [[sym, Math.ceil((window + T - 1) / min) * min]];
    }),
  );
}

/** Runs the graph step by step, caches carried from one to the next. */
function stepper(
  g: Graph,
  tokensName: string,
  sizes: Readonly<Record<string, number>>,
  params: ReturnType<typeof randomParams>,
  precision: Precision,
) {
  const bound = new Map<number, Graph>();
  let caches: Record<string, Data> | undefined;
  return (tokens: Data, position: number, { T, count }: Step): Data[] => {
    const graph = bound.get(T) ?? bind(g, { T, ...sizes });
    bound.set(T, graph);
    const empty = () =>
      Object.fromEntries(graph.state.map(({ cache }) => [cache.name!, randomTensor("empty", cache.type, 0)]));
    const size = (T * tokens.length) / count;
    const padded = tokens instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
    padded.set(tokens);
    const { outputs, state } = evaluate(graph, {
      params,
      precision,
      inputs: { ...(caches ?? empty()), [tokensName]: padded, position: [position], last: [count - 1] },
    });
    caches = Object.fromEntries(graph.state.map(({ cache }, i) => [cache.name!, state[i]!.data]));
    return outputs.map((o) => o.data);
  };
}
