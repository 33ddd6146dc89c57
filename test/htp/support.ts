/** For tests of Qualcomm's compiler: whether it is here, and a small build that was made by it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manifest } from "../../src/codegen/manifest.ts";
import type { QnnGraph, QnnNode } from "../../src/codegen/qnn/index.ts";
import { available } from "../runtime/addon-support.ts";

/** Path of the library, or nothing. With HEDDLE_REQUIRE_QUALCOMM=1 a missing one fails the file. */
export const htp = available("htp");
export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;

/** x [1,64] through ops one after the other, on disk with its (unused) weights. */
export function chain(folder: string, ops: readonly string[], dataType: "FLOAT_16" | "FLOAT_32" = "FLOAT_16") {
  const name = (i: number) => (i === 0 ? "x" : i === ops.length ? "y" : `h${i}`);
  const graph: QnnGraph = {
    format: "heddle.qnn/1",
    graph: "chain",
    weights: "weights.bin",
    tensors: [...ops, ""].map((_, i) => ({
      name: name(i),
      type: i === 0 ? ("APP_WRITE" as const) : i === ops.length ? ("APP_READ" as const) : ("NATIVE" as const),
      dataType,
      dims: [1, 64],
    })),
    nodes: ops.map(
      (type, i) =>
        ({
          name: `h${i}.${type.toLowerCase()}`,
          package: "qti.aisw",
          type,
          params: [],
          inputs: [name(i)],
          outputs: [name(i + 1)],
          loc: `graphs/models/some.ts:${i + 1}:7`,
        }) as QnnNode,
    ),
    inputs: ["x"],
    outputs: ["y"],
  };
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "chain.qnn.json");
  const weights = join(folder, "weights.bin");
  writeFileSync(file, JSON.stringify(graph));
  writeFileSync(weights, new Uint8Array(64));
  return { graph, weights, graphs: [{ name: "chain", file }] };
}
