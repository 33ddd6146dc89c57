/** What Qualcomm's NPU is asked for by a graph in fixed point, run on the reference backend with every rounding that the graph has. */
import { type RunGraph, withGraph } from "../../src/cli/support/run-graph.ts";
import { type Graph, graph as makeGraph, topo } from "../../src/ir/graph.ts";
import type { Node } from "../../src/ir/node.ts";
import * as ops from "../../src/ir/ops/index.ts";
import type { WeightSource } from "../../src/weights/source.ts";

/** The same integers with floats in f32 between `dequantize` and `quantize`: what HTP does there has no type of ours. */
export function inSingle(g: Graph): Graph {
  const done = new Map<Node, Node>();
  for (const n of topo(g)) {
    const inputs = n.inputs.map((i) => done.get(i)!);
    const isHalf = n.attrs.dtype === "f16";
    if (n.op === ops.cast && n.type.dtype !== "i32" && inputs[0]!.type.dtype === "f32") done.set(n, inputs[0]!);
    else done.set(n, n.op.build(inputs, isHalf ? { ...n.attrs, dtype: "f32" } : n.attrs, { name: n.name, loc: n.loc }));
  }
  const to = (n: Node): Node => done.get(n)!;
  return makeGraph(g.name, { inputs: g.inputs.map(to), outputs: g.outputs.map(to) });
}

/** Whether an output of a legal graph is what the caller writes into a cache; the others are logits. */
export const isSlice = ({ name }: Node): boolean => name?.endsWith("_slice") === true;

/** Logits of a legal graph of HTP, joined and as floats, for inputs and caches by name; the first output of a row is the only one. */
export function withDefinition<T>(
  legal: Graph,
  weights: WeightSource,
  use: (logits: (given: Parameters<RunGraph>[0]) => Promise<Float32Array>) => Promise<T>,
): Promise<T> {
  const single = inSingle(legal);
  const pieces = single.outputs.filter((_, i) => !isSlice(legal.outputs[i]!));
  const joined = pieces.map((n) => (n.type.quant ? ops.dequantize(n, { dtype: "f32" }) : n));
  const [first, ...rest] = joined;
  const logits = rest.length > 0 ? ops.concat(joined, { axis: -1 }) : first!;
  return withGraph(makeGraph(single.name, { inputs: single.inputs, outputs: [logits] }), weights, (run) =>
    use(async (given) => Float32Array.from((await run(given))[0]!)),
  );
}
