/** A failed finalization traced back to the node at fault, which the vendor's log names and its error code does not. */
import type { QnnGraph } from "../codegen/qnn/index.ts";
import { QnnError } from "../runtime/qnn-error.ts";
import { signatureOf } from "./signature.ts";

/** `"h0.gelu" generated: could not create op` */
const named = /"([^"]+)" generated/;

/** @returns the error with node, types and line of the graph file, as far as the log gives them; anything else as it is */
export function explainFinalize(error: unknown, graph: QnnGraph, soc: number): unknown {
  if (!(error instanceof QnnError)) return error;
  const names = new Set(error.log.map((line) => named.exec(line)?.[1]));
  const node = graph.nodes.find((n) => names.has(n.name));
  const hint = node
    ? `write ${node.type} in terms of other ops for SoC ${soc}: the validator takes it, the compiler has no code for it on these types`
    : error.context.hint;
  return new QnnError(
    {
      ...error.failure,
      ...(node && { node: node.name, op: signatureOf(graph, node) }),
      ...(node?.loc !== undefined && { location: node.loc }),
    },
    { hint },
  );
}
