/** Reads ONNX models that the exporter wrote, as graphs. Files are not trusted: a damaged one is an error that says where. */
import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { HeddleError, type Loc, rethrow } from "../../ir/error.ts";
import type { Data } from "../../ir/evaluate/tensor.ts";
import { type Graph, graph as makeGraph } from "../../ir/graph.ts";
import { type Node, renamed } from "../../ir/node.ts";
import { input } from "../../ir/ops/input.ts";
import { param } from "../../ir/ops/param.ts";
import { Call, type Int64 } from "./call.ts";
import { opset } from "./export.ts";
import { importers } from "./import-ops.ts";
import { listOf, shapeOf, tensorOf } from "./import-tensor.ts";
import { dtypeOf, ModelProto, type onnx } from "./proto.ts";

export interface ImportedModel {
  readonly graph: Graph;
  /** Values of the graph's params, which are the model's initializers by name. @throws HeddleError for an unknown name. */
  param(name: string): Data;
  /** The model's own notes, by key. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** @throws HeddleError for a file that is missing, damaged, or uses what is not supported. */
export function readOnnx(path: string): ImportedModel {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw new HeddleError((e as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(e), {
      subject: path,
    });
  }
  return decodeOnnx(bytes, { name: basename(path), folder: dirname(path) });
}

/**
 * @param from what errors call the model, and the folder of external data.
 * @throws HeddleError as `readOnnx` does.
 */
export function decodeOnnx(bytes: Uint8Array, from: { name?: string; folder?: string } = {}): ImportedModel {
  const { name = "ONNX model", folder } = from;
  const model = decodeModel(bytes, name);
  const version = model.opsetImport?.find((o) => !o.domain)?.version;
  if (Number(version) !== opset)
    throw new HeddleError(`is of opset ${version ?? "unknown"}; opset ${opset} is read`, {
      subject: name,
      hint: "convert it with onnx.version_converter",
    });
  if (!model.graph) throw new HeddleError("has no graph", { subject: name });
  const metadata = new Map((model.metadataProps ?? []).map((p) => [p.key ?? "", p.value ?? ""]));
  return { ...readGraph(model.graph, name, folder), metadata };
}

function decodeModel(bytes: Uint8Array, name: string): onnx.IModelProto {
  try {
    return ModelProto.decode(bytes);
  } catch (e) {
    throw new HeddleError(`is not an ONNX model, or is cut off: ${(e as Error).message}`, { subject: name });
  }
}

function readGraph(g: onnx.IGraphProto, name: string, folder: string | undefined): Omit<ImportedModel, "metadata"> {
  const values = new Map<string, Node>();
  const lists = new Map<string, readonly number[]>();
  const readers = new Map<string, () => Data>();
  const within = <T>(what: string, read: () => T): T => {
    try {
      return read();
    } catch (e) {
      return rethrow(e, { subject: `${name}: ${what}` });
    }
  };
  const define = (value: string, node: Node) => {
    if (value === "" || values.has(value) || lists.has(value))
      throw new Error(`defines ${value || "a value without name"} again`);
    values.set(value, node);
  };
  for (const t of g.initializer ?? [])
    within(`initializer ${t.name}`, () => {
      const list = listOf(t);
      if (list) lists.set(t.name ?? "", list);
      else {
        const { type, read } = tensorOf(t, folder);
        define(t.name ?? "", param({ name: t.name ?? "", dtype: type.dtype, shape: type.shape }));
        readers.set(t.name ?? "", read);
      }
    });
  const inputs = (g.input ?? []).map((i) =>
    within(`input ${i.name}`, () => {
      const node = inputOf(i);
      define(i.name ?? "", node);
      return node;
    }),
  );
  for (const n of g.node ?? [])
    within(`node ${n.name || "?"} (${n.opType})`, () => define(n.output?.[0] ?? "", readNode(n, values, lists)));
  const outputs = (g.output ?? []).map((o) =>
    within(`output ${o.name}`, () => new Call({ input: [o.name!] }, { values, lists }).operand(0)),
  );
  return {
    graph: makeGraph(g.name || "onnx", { inputs, outputs }),
    param: (p) => {
      const read = readers.get(p);
      if (!read) throw new HeddleError(`has no initializer ${p}`, { subject: name });
      return within(`initializer ${p}`, read);
    },
  };
}

function inputOf(i: onnx.IValueInfoProto): Node {
  const tensor = i.type?.tensorType;
  const dtype = dtypeOf(tensor?.elemType ?? 0);
  if (!dtype) throw new Error(`has the element type ${tensor?.elemType}, which is not supported`);
  const dims = tensor?.shape?.dim ?? [];
  if (dims.some((d) => d.dimValue === undefined || d.dimValue === null || d.dimParam))
    throw new Error("has sizes that are not numbers");
  return input(i.name ?? "", dtype, ...shapeOf(dims.map((d) => d.dimValue as Int64)));
}

function readNode(
  n: onnx.INodeProto,
  values: ReadonlyMap<string, Node>,
  lists: ReadonlyMap<string, readonly number[]>,
): Node {
  if (n.domain) throw new Error(`is of domain ${n.domain}; only standard ops are read`);
  if (n.output?.length !== 1) throw new Error(`has ${n.output?.length ?? 0} outputs; one is supported`);
  const read = Object.hasOwn(importers, n.opType ?? "") ? importers[n.opType!] : undefined;
  if (!read)
    throw new HeddleError("there is no op to read it as", {
      hint: `supported are ${Object.keys(importers).sort().join(", ")}`,
    });
  const call = new Call(n, { values, lists });
  const node = read(call);
  call.finish();
  return call.node.opType === "Identity" ? node : renamed(node, { name: n.output[0]!, loc: locOf(n.docString) });
}

function locOf(text: string | null | undefined): Loc | undefined {
  const found = /^(.+):(\d+):(\d+)$/.exec(text ?? "");
  return found ? { file: found[1]!, line: Number(found[2]), column: Number(found[3]) } : undefined;
}
