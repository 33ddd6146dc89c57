/** Caches in another encoding: what is appended is encoded on the way, and what reads them takes both. */
import { type Graph, graph as makeGraph, rebuild, topo } from "../../ir/graph.ts";
import { type Node, renamed } from "../../ir/node.ts";
import { dequantize, inputOp, kvAppend, quantize } from "../../ir/ops/index.ts";
import type { Encoding } from "../../ir/ops/support/quant.ts";
import { withOrigin } from "../../ir/origin.ts";
import type { DType } from "../../ir/type.ts";

/** The value behind its encoding. */
const decoded = (n: Node): Node => (n.op === quantize ? n.inputs[0]! : n);

/** @param encodingOf the encoding of a cache, or undefined for f32. */
export function withCaches(
  g: Graph,
  encodingOf: (cache: Node) => (Encoding & { readonly dtype: DType }) | undefined,
): Graph {
  const caches = new Map(g.state.map(({ cache }) => [cache, encodingOf(cache)]));
  const done = new Map<Node, Node>();
  const to = (n: Node): Node => done.get(n)!;
  for (const n of topo(g)) {
    if (caches.has(n)) {
      const { shape } = n.attrs as { shape: Node["type"]["shape"] };
      done.set(n, inputOp.build([], { shape, ...(caches.get(n) ?? { dtype: "f32" }) }, n));
    } else if (n.op === kvAppend && caches.has(n.inputs[0]!)) {
      const [cache, slice, position] = n.inputs as [Node, Node, Node];
      const encoding = caches.get(cache);
      const plain = decoded(to(slice));
      const name = plain.name && encoding ? `${plain.name}.${encoding.dtype}` : undefined;
      const appended = encoding
        ? renamed(
            withOrigin({ name, loc: n.loc }, () => quantize(plain, encoding)),
            { name },
          )
        : plain;
      done.set(n, n.op.build([to(cache), appended, to(position)], n.attrs, n));
    } else if (n.op === dequantize && !to(n.inputs[0]!).type.quant) done.set(n, to(n.inputs[0]!));
    else done.set(n, rebuild(n, n.inputs.map(to)));
  }
  return makeGraph(g.name, {
    inputs: g.inputs.map(to),
    outputs: g.outputs.map(to),
    state: g.state.map((s) => ({ cache: to(s.cache), next: to(s.next) })),
  });
}
