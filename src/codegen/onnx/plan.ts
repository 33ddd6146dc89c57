/** The plan of one ONNX model: everything but the values of its weights. */
import { HeddleError } from "../../ir/error.ts";
import { type Graph, topo } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { type HostCache, hostCaches } from "../host-caches.ts";
import { legalize } from "../legalize.ts";
import { plainRules } from "../rules.ts";
import { simplifications } from "../simplify.ts";
import { findStatic } from "../statics.ts";
import { type WeightRef, WeightTable } from "../weights.ts";
import { OnnxBuilder } from "./builder.ts";
import type { onnx } from "./proto.ts";
import { onnxSupport } from "./support.ts";

export interface OnnxPlan {
  /** Without initializers. */
  readonly graph: onnx.IGraphProto;
  readonly weights: ReadonlyMap<string, WeightRef>;
  readonly lists: ReadonlyMap<string, readonly number[]>;
  readonly table: WeightTable;
  readonly caches: readonly HostCache[];
}

/**
 * @param g bound. Caches become inputs, and outputs that hold the new slice: the caller writes it at the position. This is the
 * form that runs fastest in ONNX Runtime, which can neither write into an input nor avoid copying a cache that it joins.
 * @throws HeddleError for an op or element type that ONNX has not.
 */
export function planOnnx(g: Graph): OnnxPlan {
  const { graph, caches } = hostCaches(g);
  const legal = legalize(graph, {
    target: "ONNX (opset 17)",
    support: onnxSupport,
    rules: [...plainRules, ...simplifications],
  });
  const known = findStatic(legal);
  const table = new WeightTable({ views: false });
  const b = new OnnxBuilder(legal, known, table);
  const input = legal.inputs.map((n) => b.input(n));
  const inputs = new Set(legal.inputs);
  for (const n of topo(legal)) if (!known.has(n) && !inputs.has(n)) lower(n, b);
  const output = outputsOf(legal.outputs, known, inputs, b);
  const names = new Set(output.map((o) => o.name));
  const valueInfo = b.values.filter((v) => !names.has(v.name));
  return {
    graph: { name: g.name, node: b.nodes, input, output, valueInfo },
    weights: b.weights,
    lists: b.lists,
    table,
    caches,
  };
}

function lower(n: Node, b: OnnxBuilder): void {
  const how: unknown = onnxSupport[n.op.name as keyof typeof onnxSupport];
  if (typeof how === "object" && how !== null && "lower" in how)
    (how as { lower(n: Node, b: OnnxBuilder): void }).lower(n, b);
  else throw new HeddleError("reached code generation without a lowering", { subject: describe(n), loc: n.loc });
}

function outputsOf(
  outputs: readonly Node[],
  known: ReadonlySet<Node>,
  inputs: ReadonlySet<Node>,
  b: OnnxBuilder,
): onnx.IValueInfoProto[] {
  const yielded = new Set<Node>();
  return outputs.map((n, i) => {
    const isOwn = !known.has(n) && !inputs.has(n) && !yielded.has(n);
    yielded.add(n);
    return b.info(n, isOwn ? b.value(n) : b.copy(n, `${n.name ?? `output${i}`}.copy`));
  });
}
