/** What may execute a build: a library with the QNN interface, or for a build for an AIE array its simulator or the NPU. */
import type { ProgramManifest } from "../codegen/parts-manifest.ts";
import { HeddleError } from "../ir/error.ts";
import { type BackendName, backendNames } from "./libraries.ts";
import type { ProgramFolder } from "./program-folder.ts";

/** `aie-sim`: our simulator of the array. `xrt`: AMD's runtime, on a machine that has the NPU. */
export const arrayNames = ["aie-sim", "xrt"] as const;
export type ArrayName = (typeof arrayNames)[number];

export const executionNames = [...backendNames, ...arrayNames] as const;
export type ExecutionName = BackendName | ArrayName;

export const isArrayName = (name: ExecutionName): name is ArrayName => (arrayNames as readonly string[]).includes(name);

/** An entry point for an array is a file of steps. */
const isForArray = ({ entries }: ProgramManifest): boolean => entries.some((e) => e.graph.endsWith(".steps.json"));

export const defaultExecution = (manifest: ProgramManifest): ExecutionName =>
  isForArray(manifest) ? "aie-sim" : "reference";

/** @throws HeddleError for what the backend would refuse later and less clearly. */
export function checkExecution(build: ProgramFolder, name: ExecutionName, threads: number | undefined): void {
  const { folder, manifest } = build;
  const ports = manifest.entries.flatMap((e) => [...e.inputs, ...e.outputs]);
  if (ports.some((p) => p.role === "hidden"))
    throw new HeddleError("holds some layers of a model, which write no text on their own", {
      subject: folder,
      hint: "compile the whole model, without --layers",
    });
  if (isForArray(manifest) !== isArrayName(name))
    throw new HeddleError(`was compiled for ${manifest.target}, which backend ${name} does not execute`, {
      subject: folder,
      hint: isArrayName(name) ? "compile it with --target phoenix" : `run it with --backend ${arrayNames.join(" or ")}`,
    });
  if (name === "reference" || isArrayName(name)) return;
  if (threads !== undefined)
    throw new HeddleError("has no choice of threads; only the reference backend has", { subject: `backend ${name}` });
  if (manifest.target === "reference")
    throw new HeddleError(`was compiled for the reference backend, whose fused ops ${name} does not have`, {
      subject: folder,
      hint: `compile it with --target x-elite --precision ${name === "htp" ? "f16" : "f32"}`,
    });
  if (name === "qnn-cpu" && manifest.precision !== "f32")
    throw new HeddleError(`was compiled in ${manifest.precision}, which Qualcomm's CPU library does not compute in`, {
      subject: folder,
      hint: "compile it with --target x-elite --precision f32, or run it with --backend htp",
    });
  if (name === "htp" && manifest.precision === "f32")
    throw new HeddleError("was compiled in f32, and HTP has no f32 arithmetic", {
      subject: folder,
      hint: "compile it with --target x-elite --precision f16, or run it with --backend qnn-cpu",
    });
}
