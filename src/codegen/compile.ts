/** From a module, after its passes, to a build folder: graphs, weights and the manifest, all of them or none. */
import { createHash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { topo } from "../ir/graph.ts";
import type { Module } from "../ir/program.ts";
import { staticShape } from "../ir/type.ts";
import { aieMachine } from "../targets/aie-machine.ts";
import { targetNames } from "../targets/target.ts";
import type { WeightSource } from "../weights/source.ts";
import type { Backend, EntryPlan } from "./backend.ts";
import type { Seams } from "./cut.ts";
import { type CompiledEntry, compileEntries, manifestEntry } from "./entries.ts";
import { checkManifest, type Manifest } from "./manifest.ts";
import { arrayBackend } from "./mlir-aie/array-backend.ts";
import { aieSupport } from "./mlir-aie/support.ts";
import { type Precision, precisions } from "./precision.ts";
import { type ProgramDescription, writeProgram } from "./program-files.ts";
import { qnnReference, qnnVendor, qnnVendorHalf, weightsFile } from "./qnn/index.ts";
import { manifestFile, replaceFolder } from "./staging.ts";
import { WeightTable } from "./weights.ts";
import { type WeightProgress, type WeightsFile, writeWeights } from "./weights-file.ts";

export interface CompileRequest extends ProgramDescription {
  /** The module after its passes. */
  readonly module: Module;
  readonly weights: WeightSource;
  /** The build folder; an older build there is replaced. */
  readonly out: string;
  /** An older build whose weights may be used again. Default `out`. */
  readonly previous?: string;
  /** Whether the module is some layers of a model. */
  readonly isPart?: boolean;
  /** Writes further files (dumps, a report) into the folder before it takes its place. */
  readonly extra?: (folder: string, entries: readonly CompiledEntry[]) => void | Promise<void>;
  /**
   * Called when the folder has all its files but the manifest: what a vendor's compiler makes of them. Returns the manifest to
   * write; what it throws leaves the old build as it was.
   */
  readonly finish?: (folder: string, manifest: Manifest) => Promise<Manifest>;
  readonly progress?: WeightProgress;
  /** A code generator in place of the target's own, for what lies between two seams. */
  readonly backend?: (seams: Seams) => Backend<EntryPlan>;
  /** Where the module was cut off from a larger one. */
  readonly seams?: Seams;
}

export interface CompileResult {
  readonly manifest: Manifest;
  readonly entries: readonly CompiledEntry[];
  /** Whether weights.bin was taken from the build that was there before. */
  readonly weightsReused: boolean;
  /** Milliseconds of code generation, of writing or reusing weights, and of `finish`. */
  readonly ms: { readonly codegen: number; readonly weights: number; readonly finish: number };
}

const backends: Readonly<Record<string, Readonly<Partial<Record<Precision, Backend<EntryPlan>>>>>> = {
  reference: Object.fromEntries(precisions.map((p) => [p, qnnReference])),
  // f32 is for Qualcomm's CPU library; the NPU computes in f16.
  "x-elite": { f32: qnnVendor, f16: qnnVendorHalf, w8a16: qnnVendorHalf, w4a16: qnnVendorHalf },
};

/** @throws HeddleError for an unknown target or one without a code generator. */
export function backendFor(target: string, precision: Precision = "f32"): Backend<EntryPlan> {
  const own = Object.hasOwn(backends, target) ? backends[target]! : undefined;
  if (own?.[precision]) return own[precision];
  // Between kernels values are f32, whatever the precision of weights; a kernel has its own.
  const machine = aieMachine(target);
  if (machine && precision !== "native") return arrayBackend(machine, aieSupport);
  if (own || machine) {
    const possible = own ? Object.keys(own) : precisions.filter((p) => p !== "native");
    const reason = precision.endsWith("a8")
      ? "has no products with activations of 8 bits"
      : `cannot run ${precision} weights`;
    throw new HeddleError(reason, { subject: `target ${target}`, hint: `--precision ${possible.join(", ")}` });
  }
  throw new HeddleError("has no code generator", { subject: `target ${target}`, hint: `one of ${targetNames()}` });
}

/** @throws HeddleError for weights that do not fit, ops that the target cannot run, values that are not finite. */
export async function compileModule(request: CompileRequest): Promise<CompileResult> {
  const { module, target, precision, weights, out } = request;
  const start = performance.now();
  const backend = request.backend?.(request.seams ?? {}) ?? backendFor(target, precision);
  // Of a checkpoint a part of the model takes some tensors; that these fit is seen when they are read.
  if (!request.isPart) weights.check(paramsOf(module));
  const table = new WeightTable();
  const entries = compileEntries(module, backend, table);
  const codegen = performance.now() - start;
  return replaceFolder(out, async (folder) => {
    mkdirSync(join(folder, "qnn"));
    for (const { path, text } of entries.flatMap((e) => e.artifacts)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const fields = writeProgram(folder, request);
    await request.extra?.(folder, entries);

    const began = performance.now();
    const file = `qnn/${weightsFile}`;
    const key = createHash("sha256").update(`${table.key}\n${weights.fingerprint}`).digest("hex");
    const reused = reuseWeights(request.previous ?? out, join(folder, file), key);
    const { sha256, bytes } = reused ?? (await writeWeights(table, weights, join(folder, file), request.progress));
    const draft: Manifest = {
      format: "heddle.build/1",
      ...fields,
      weights: { source: weights.name, sha256, bytes, file, key },
      entries: entries.map((e) => manifestEntry(e, module.rows === "all")),
    };
    const written = performance.now();
    const manifest = request.finish ? await request.finish(folder, draft) : draft;
    const ms = { codegen, weights: written - began, finish: performance.now() - written };
    checkManifest(manifest);
    writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, undefined, 1)}\n`);
    return { manifest, entries, weightsReused: reused !== undefined, ms };
  });
}

/** The checkpoint tensors that a module wants. */
export const paramsOf = ({ graph }: Module): { name: string; shape: readonly number[] }[] => [
  ...new Map(
    topo(graph)
      .filter((n) => n.op.name === "param")
      .map((n) => [n.attrs.name as string, { name: n.attrs.name as string, shape: staticShape(n.type.shape) }]),
  ).values(),
];

/** Takes the weights of the build that `to` replaces, where they are what would be written. They are linked, not copied. */
function reuseWeights(old: string, to: string, key: string): WeightsFile | undefined {
  const manifest = join(old, manifestFile);
  if (!existsSync(manifest)) return undefined;
  try {
    const { weights } = JSON.parse(readFileSync(manifest, "utf8")) as Manifest;
    const from = join(old, `qnn/${weightsFile}`);
    if (weights.key !== key || statSync(from).size !== weights.bytes) return undefined;
    linkSync(from, to);
    return { sha256: weights.sha256, bytes: weights.bytes };
  } catch {
    // A damaged build, or a file system without links: the weights are written again.
    return undefined;
  }
}
