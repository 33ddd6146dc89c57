/** QNN graphs as text. */
import type { QnnPlan } from "./plan.ts";
import type { QnnGraph, QnnTensor } from "./types.ts";

/** The plan for people: a line per tensor and per node, in order. */
export function showPlan({ graph, tensors, nodes, inputs, outputs }: QnnPlan): string {
  const where = (t: QnnTensor) =>
    t.data ? ` @${t.data.offset}+${t.data.bytes}` : t.inline ? ` = [${t.inline.join(",")}]` : "";
  return `${[
    `qnn graph ${graph}(${inputs.join(", ")}) -> ${outputs.join(", ")}`,
    ...tensors.map((t) => `  ${t.type.padEnd(13)} ${t.dataType} [${t.dims.join("x")}] ${t.name}${where(t)}`),
    ...nodes.map((n) => {
      const params = n.params.map((p) => `${p.name}=${"scalar" in p ? p.scalar.value : p.tensor}`).join(", ");
      return `  ${n.outputs.join(", ")} = ${n.package}::${n.type}(${n.inputs.join(", ")})${params && ` {${params}}`}`;
    }),
  ].join("\n")}\n`;
}

/** JSON with one tensor or node per line: a diff of two builds shows which ones differ. */
export function showGraph(g: QnnGraph): string {
  const list = (items: readonly unknown[]) =>
    items.length ? `[\n${items.map((i) => `    ${JSON.stringify(i)}`).join(",\n")}\n  ]` : "[]";
  const fields = [
    ...(["format", "graph", "weights", "inputs", "outputs"] as const).map((k) => `  "${k}": ${JSON.stringify(g[k])}`),
    `  "tensors": ${list(g.tensors)}`,
    `  "nodes": ${list(g.nodes)}`,
  ];
  return `{\n${fields.join(",\n")}\n}\n`;
}
