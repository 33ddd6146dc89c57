/** The context binary of a build, loaded: on the NPU and its simulator a program is not built again but read. */
import { existsSync } from "node:fs";
import type { ManifestContext } from "../codegen/manifest.ts";
import { HeddleError } from "../ir/error.ts";
import type { Backend, Context, Graph, TensorInfo } from "./addon.ts";
import { hashBinary } from "./binary-file.ts";
import type { BuildFolder } from "./build-folder.ts";
import type { Entry } from "./entry-graph.ts";
import { QnnError } from "./qnn-error.ts";

const recompile = "compile it again: npm run compile <graph file> -- --target x-elite --precision f16";

/**
 * Checks that a build's context binary is the one that was compiled, before the vendor's loader, which trusts what it reads.
 * @returns its path
 * @throws HeddleError where the build has none, or the file is missing, damaged or for another SoC than the manifest says; QnnError
 *   where the System library refuses it.
 */
export function checkContext(build: BuildFolder, backend: Backend): string {
  const { context } = build.manifest;
  if (!context)
    throw new HeddleError("has no context binary (it was compiled with --no-context)", {
      subject: build.folder,
      hint: recompile,
    });
  const file = build.path(context.file);
  const refuse = (reason: string): never => {
    throw new HeddleError(reason, { subject: file, hint: recompile });
  };
  if (!existsSync(file)) refuse("is missing");
  const { bytes, sha256 } = hashBinary(file);
  if (bytes !== context.bytes) refuse(`has ${bytes} bytes; the manifest says ${context.bytes}`);
  if (sha256 !== context.sha256) refuse("is damaged: its content is not what was compiled");
  const { socModel } = inWords(file, context, backend, () => backend.describeBinary(file));
  if (socModel !== undefined && socModel !== context.soc)
    refuse(`was compiled for SoC ${socModel}; the manifest says ${context.soc}`);
  return file;
}

/** Loads the binary of a build. @throws as `checkContext`; QnnError where the library refuses it, saying who compiled it. */
export async function loadContext(build: BuildFolder, backend: Backend): Promise<Context> {
  const file = checkContext(build, backend);
  const { context } = build.manifest;
  try {
    return await backend.loadContext(file);
  } catch (e) {
    return inWords(file, context!, backend, () => {
      throw e;
    });
  }
}

/** Runs `action`; an error of the library gets the file, and which versions and SoC meet here. */
function inWords<T>(file: string, context: ManifestContext, backend: Backend, action: () => T): T {
  try {
    return action();
  } catch (e) {
    if (!(e instanceof QnnError)) throw e;
    throw new QnnError(e.failure, { subject: file, hint: whoMadeIt(context, backend) });
  }
}

/** Whether this machine has the simulator, which cannot load a context whose graphs share weights. */
export const needsOwnContext = ({ manifest }: BuildFolder): boolean =>
  process.arch === "x64" && manifest.context?.weightSharing === true && manifest.entries.length > 1;

/** @throws HeddleError where the graph's interface is not that of the manifest. */
export function retrieve(context: Context, entry: Entry, file: string): Graph {
  if (!context.graphNames().includes(entry.name))
    throw new HeddleError(`holds no graph ${entry.name}, but ${context.graphNames().join(", ")}`, {
      subject: file,
      hint: recompile,
    });
  const graph = context.graph(entry.name);
  const names = (list: readonly Pick<TensorInfo, "name">[]) => list.map((t) => t.name).sort();
  for (const role of ["inputs", "outputs"] as const)
    if (names(graph[role]).join() !== names(entry[role]).join())
      throw new HeddleError(
        `graph ${entry.name} has the ${role} ${names(graph[role]).join(", ")}; the manifest says ${names(entry[role]).join(", ")}`,
        { subject: file, hint: recompile },
      );
  return graph;
}

function whoMadeIt({ soc, library }: ManifestContext, backend: Backend): string {
  const here = `${backend.provider} ${backend.buildId} (QNN ${backend.coreVersion})`;
  const there = `${library.provider} ${library.buildId} (QNN ${library.coreVersion})`;
  return here === there
    ? `the binary is for SoC ${soc}; ${recompile}`
    : `the binary was compiled by ${there} for SoC ${soc}, the library here is ${here}: use that version or a newer one, or ${recompile}`;
}
