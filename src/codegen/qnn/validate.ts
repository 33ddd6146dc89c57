/** Checks a QNN graph: its form by the JSON schema, then what a schema cannot say. */
import { HeddleError } from "../../ir/error.ts";
import { schemaCheck } from "../../ir/schema.ts";
import { qnnOps } from "./op-defs.ts";
import schema from "./qnn.schema.json" with { type: "json" };
import type { QnnGraph, QnnNode, QnnTensor } from "./types.ts";

const mistakesIn = schemaCheck(schema);

/** @throws HeddleError naming the tensor or node and what is wrong with it. */
export function checkQnnGraph(content: unknown): asserts content is QnnGraph {
  const [first] = mistakesIn(content);
  if (first) throw new HeddleError(first.says, { subject: nameIn(content) });
  checkReferences(content as QnnGraph);
}

function checkReferences(content: QnnGraph): void {
  const tensors = new Map<string, QnnTensor>();
  for (const t of content.tensors) {
    if (tensors.has(t.name)) fail(content, `tensor ${t.name} is declared twice`);
    tensors.set(t.name, t);
  }
  const written = new Set([
    ...content.inputs,
    ...content.tensors.filter((t) => t.type === "STATIC").map((t) => t.name),
  ]);
  for (const n of content.nodes) {
    checkOp(content, n, tensors);
    for (const i of n.inputs) if (!written.has(i)) fail(content, `node ${n.name} reads ${i} before anything writes it`);
    for (const o of n.outputs) {
      if (!tensors.has(o)) fail(content, `node ${n.name} writes ${o}, which is not declared`);
      if (written.has(o) && tensors.get(o)!.type !== "APP_READWRITE") fail(content, `node ${n.name} writes ${o} again`);
      written.add(o);
    }
  }
  for (const o of content.outputs)
    if (!written.has(o) || !tensors.has(o)) fail(content, `output ${o} is not written by any node`);
  for (const i of content.inputs)
    if (!tensors.get(i)?.type.startsWith("APP_")) fail(content, `input ${i} is not an APP tensor`);
}

function checkOp(g: QnnGraph, n: QnnNode, tensors: ReadonlyMap<string, QnnTensor>): void {
  const def = qnnOps[n.package][n.type];
  if (!def) fail(g, `node ${n.name}: package ${n.package} has no op ${n.type}`);
  const [least, most] = def.inputs;
  if (n.inputs.length < least || n.inputs.length > most)
    fail(
      g,
      `node ${n.name}: ${n.type} takes ${least === most ? least : `${least} to ${most}`} inputs, not ${n.inputs.length}`,
    );
  const wanted = def.params ?? {};
  for (const p of n.params) {
    const kind = wanted[p.name];
    if (!kind) fail(g, `node ${n.name}: ${n.type} has no parameter ${p.name}`);
    const given = "scalar" in p ? p.scalar.dataType : kindOf(tensors.get(p.tensor));
    if (given !== kind) fail(g, `node ${n.name}: parameter ${p.name} of ${n.type} is ${kind}, not ${given}`);
  }
  for (const name of Object.keys(wanted))
    if (!def.optional?.includes(name) && !n.params.some((p) => p.name === name))
      fail(g, `node ${n.name}: ${n.type} needs parameter ${name}`);
}

const kindOf = (t: QnnTensor | undefined): string =>
  t
    ? `${t.dataType}${t.type === "STATIC" ? `[${",".repeat(t.dims.length - 1)}]` : ""}`
    : "a tensor that is not declared";

const nameIn = (content: unknown): string =>
  typeof content === "object" && content !== null && "graph" in content ? `QNN graph ${content.graph}` : "QNN graph";

function fail(g: QnnGraph, reason: string): never {
  throw new HeddleError(reason, { subject: `QNN graph ${g.graph}` });
}
