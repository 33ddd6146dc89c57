/** Writes graphs as ONNX models, for Netron and for running the same graph in ONNX Runtime. */
import { rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { HeddleError } from "../../ir/error.ts";
import type { Graph } from "../../ir/graph.ts";
import { staticShape } from "../../ir/type.ts";
import type { WeightSource } from "../../weights/source.ts";
import { withCleanup } from "../cleanup.ts";
import { clearLeftovers } from "../leftovers.ts";
import { materialize } from "../materialize.ts";
import type { WeightRef } from "../weights.ts";
import { writeWeights } from "../weights-file.ts";
import { type OnnxPlan, planOnnx } from "./plan.ts";
import { elementType, int64, ModelProto, type onnx } from "./proto.ts";

/** LayerNormalization came with opset 17, which came with IR version 8. */
export const opset = 17;
const irVersion = 8;
/** Protobuf messages end at 2 GiB; larger weights go into a file beside the model. Leaves room for the graph itself. */
const protobufLimit = 2 ** 31 - 2 ** 25;

/** Key of the metadata that says which output goes into which input: `[{"input","output","axis"}]`. */
export const cachesKey = "heddle.caches";

type Data = (name: string, ref: WeightRef) => Partial<onnx.ITensorProto>;

/** The model of a bound graph as bytes, weights inside. @throws HeddleError where it does not fit a protobuf message. */
export function encodeOnnx(g: Graph, source: WeightSource): Uint8Array {
  const plan = planOnnx(g);
  if (plan.table.bytes > protobufLimit)
    throw new HeddleError(`has ${plan.table.bytes} bytes of weights, more than one protobuf message holds`, {
      subject: `graph @${g.name}`,
      hint: "write it to a file, with its weights beside it",
    });
  return encodeInline(plan, source);
}

function encodeInline(plan: OnnxPlan, source: WeightSource): Uint8Array {
  const values = new Map<WeightRef, Uint8Array>();
  let i = 0;
  for (const bytes of materialize(plan.table.weights, source)) values.set(plan.table.weights[i++]!, bytes);
  return encode(plan, (_, ref) => ({ rawData: values.get(ref)! }));
}

/**
 * Writes the model of a bound graph to `path`; weights that do not fit one protobuf message go to `<path>.data`. Files appear
 * under their names only when they are complete.
 * @param limit most bytes of weights inside the model.
 */
export async function writeOnnx(g: Graph, source: WeightSource, path: string, limit = protobufLimit): Promise<void> {
  const plan = planOnnx(g);
  const file = `${path}.data`;
  const [temporary, temporaryData] = [path, file].map((p) => `${p}.${process.pid}.tmp`) as [string, string];
  clearLeftovers(path);
  clearLeftovers(file);
  const cleanup = () => {
    for (const p of [temporary, temporaryData]) rmSync(p, { force: true });
  };
  await withCleanup(cleanup, async () => {
    if (plan.table.bytes <= limit) await writeFile(temporary, encodeInline(plan, source));
    else {
      await writeWeights(plan.table, source, file);
      const model = encode(plan, (_, { offset, bytes }) => ({
        dataLocation: 1,
        externalData: Object.entries({ location: basename(file), offset, length: bytes }).map(([key, value]) => ({
          key,
          value: String(value),
        })),
      }));
      await writeFile(temporary, model);
    }
    await rename(temporary, path);
  });
}

function encode({ graph, weights, lists, caches }: OnnxPlan, data: Data): Uint8Array {
  const initializer: onnx.ITensorProto[] = [...weights].map(([name, ref]) => ({
    name,
    dims: staticShape(ref.type.shape),
    dataType: elementType(ref.type.dtype)!,
    ...data(name, ref),
  }));
  for (const [name, values] of lists)
    initializer.push({ name, dims: [values.length], dataType: int64, rawData: rawInts(values) });
  const state = caches.map((c) => ({
    input: graph.input![c.input]!.name,
    output: graph.output![c.output]!.name,
    axis: c.axis,
    // Of a ring: the token of position p goes to place p modulo the size of the axis.
    ...(c.window > 0 && { window: c.window }),
  }));
  return ModelProto.encode({
    irVersion,
    opsetImport: [{ domain: "", version: opset }],
    producerName: "heddle",
    graph: { ...graph, initializer },
    metadataProps: state.length ? [{ key: cachesKey, value: JSON.stringify(state) }] : [],
  }).finish();
}

const rawInts = (values: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
