import type { QnnGraph, QnnNode } from "../codegen/qnn/index.ts";

/** A node's op and types, `Gelu(FLOAT_16[1,64]) -> FLOAT_16[1,64]`. */
export function signatureOf(graph: QnnGraph, node: QnnNode): string {
  const types = new Map(graph.tensors.map((t) => [t.name, `${t.dataType}[${t.dims.join(",")}]`]));
  const list = (names: readonly string[]) => names.map((name) => types.get(name) ?? "?").join(", ");
  return `${node.type}(${list(node.inputs)}) -> ${list(node.outputs)}`;
}
