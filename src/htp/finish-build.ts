/** The context binary of a build folder, and what its manifest says of each entry point on the NPU. */
import { join } from "node:path";
import type { Manifest, ManifestEntry, ManifestNpu } from "../codegen/manifest.ts";
import { HeddleError } from "../ir/error.ts";
import { bytesOf } from "../ir/type.ts";
import { findCompilerLibrary } from "../runtime/libraries.ts";
import { loadTarget } from "../targets/target.ts";
import { finalizeLevel } from "./level.ts";
import { type Prepared, type PrepareRequest, prepareContext } from "./prepare.ts";
import type { PreparedGraph } from "./types.ts";

/** Path of the context binary in a build folder. */
export const contextFile = "qnn/context.bin";

/** Precisions that HTP does not compute in: f32 is for the vendor's CPU library, blocks are for the reference backend. */
const elsewhere: readonly string[] = ["f32", "native"];

/** Whether a build for a target has a context binary. */
export const hasContext = (target: string, precision: string): boolean =>
  loadTarget(target).facts?.socModel !== undefined && !elsewhere.includes(precision);

/** Path of the library with the compiler. @throws HeddleError that says what is missing and what can be done without. */
export function findCompiler(): string {
  try {
    return findCompilerLibrary();
  } catch (e) {
    if (!(e instanceof HeddleError)) throw e;
    throw new HeddleError(`a context binary needs Qualcomm's compiler: ${e.reason}`, {
      ...e.context,
      hint: `${e.context.hint}; or compile with --no-context, which writes the graphs as JSON alone`,
    });
  }
}

export interface FinishOptions extends Pick<PrepareRequest, "cache" | "library" | "onStep"> {
  /** False to spare the second compilation, which finds the simulated times. */
  readonly simulate?: boolean;
}

export interface Finished {
  readonly manifest: Manifest;
  /** Whether all of it was known from before. */
  readonly cached: boolean;
}

/**
 * Compiles all entry points of a folder into one context, `qnn/context.bin`.
 * @param manifest of the folder, without context
 * @throws HeddleError as `prepareContext`
 */
export async function finishBuild(folder: string, manifest: Manifest, options: FinishOptions = {}): Promise<Finished> {
  const { simulate = true, ...rest } = options;
  const { socModel, costedSocModel, vtcmMegabytes } = loadTarget(manifest.target).facts ?? {};
  const prepared = await prepareContext({
    ...rest,
    library: rest.library ?? findCompiler(),
    graphs: manifest.entries.map((e) => ({
      name: e.name,
      file: join(folder, e.graph),
      optimization: finalizeLevel(e, manifest),
    })),
    weights: join(folder, manifest.weights.file),
    weightsSha256: manifest.weights.sha256,
    binary: join(folder, contextFile),
    options: { ...(socModel && { soc: socModel.value }), ...(vtcmMegabytes && { vtcm: vtcmMegabytes.value }) },
    costedSoc: simulate ? (costedSocModel?.value ?? null) : null,
  });
  return { manifest: describe(manifest, prepared), cached: prepared.cached };
}

function describe(manifest: Manifest, { options, library, binary, graphs, costedSoc }: Prepared): Manifest {
  const rate = loadTarget(manifest.target).memoryRate.value;
  return {
    ...manifest,
    entries: manifest.entries.map((e, i) => ({ ...e, npu: npuOf(graphs[i]!, boundBytes(e), rate, costedSoc) })),
    context: { file: contextFile, ...binary!, ...options, library },
  };
}

/**
 * Bytes that a run of an entry point cannot avoid reading: its weights (of an embedding table the rows asked for), and the
 * keys and values of all positions, filled or not, because a graph has one shape.
 */
export const boundBytes = ({ cost, inputs }: Pick<ManifestEntry, "cost" | "inputs">): number =>
  cost.weightBytes + inputs.filter((i) => i.role === "cache").reduce((sum, i) => sum + bytesOf(i), 0);

/** @param rate simulated DDR rate in bytes per second */
function npuOf(graph: PreparedGraph, bound: number, rate: number, soc: number | undefined): ManifestNpu {
  const { finalizeMs, ddr, simulated } = graph;
  return {
    finalizeMs: { value: finalizeMs, source: "measured" },
    ...(ddr && { ddr: { ...ddr, source: "vendor-simulated" } }),
    ...(simulated &&
      soc !== undefined && {
        simulated: {
          soc,
          ...simulated,
          boundBytes: bound,
          // The simulator gives a graph that only looks up a row no time at all.
          shareOfBound: simulated.us > 0 ? (bound / rate) * (1e6 / simulated.us) : 1,
          source: "vendor-simulated",
        },
      }),
  };
}
