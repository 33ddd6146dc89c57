/** What `heddle compile` wrote: a manifest, one QNN graph per entry point, the weights they share. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { checkManifest, type Manifest } from "../codegen/manifest.ts";
import { HeddleError } from "../ir/error.ts";
import { nearest } from "../ir/nearest.ts";

export interface BuildFolder {
  readonly folder: string;
  readonly manifest: Manifest;
  /** The path of a file that the manifest names relative to the folder. */
  path(file: string): string;
}

const recompile = "compile it again: npm run compile <graph file>";

/** The content of a folder's manifest, unchecked. @throws HeddleError where there is none. */
export function readManifest(folder: string): { file: string; content: unknown; path: BuildFolder["path"] } {
  const file = join(folder, "manifest.json");
  if (!existsSync(file))
    throw new HeddleError(existsSync(folder) ? "has no manifest.json: it is not a build" : "there is no such folder", {
      subject: folder,
      hint: similarBuild(folder) ?? "npm run compile graphs/gpt2-fa2-kv.ts writes build/gpt2-fa2-kv",
    });
  return { file, content: readJson(file), path: (name) => join(folder, name) };
}

/** @throws HeddleError where the folder is not a build, or is of another version. */
export function openBuild(folder: string): BuildFolder {
  const { file, content, path } = readManifest(folder);
  checkManifest(content, file);
  return { folder, manifest: content, path };
}

/**
 * The weights of a build, which every backend needs but an NPU: its context binary holds them.
 * @returns their path
 * @throws HeddleError where they are missing or not those of the manifest
 */
export function weightsOf({ manifest: { weights }, path }: BuildFolder): string {
  const file = path(weights.file);
  const bytes = existsSync(file) ? statSync(file).size : undefined;
  if (bytes === weights.bytes) return file;
  throw new HeddleError(bytes === undefined ? "is missing" : `has ${bytes} bytes; the manifest says ${weights.bytes}`, {
    subject: file,
    hint: recompile,
  });
}

/** The build of a similar name beside a folder that does not exist. */
function similarBuild(folder: string): string | undefined {
  const beside = dirname(folder);
  const builds = existsSync(beside)
    ? readdirSync(beside).filter((f) => existsSync(join(beside, f, "manifest.json")))
    : [];
  const meant = nearest(basename(folder), builds);
  return meant === undefined ? undefined : join(beside, meant);
}

/** @throws HeddleError where the file is missing. */
export function readText(file: string): string {
  if (!existsSync(file)) throw new HeddleError("is missing", { subject: file, hint: recompile });
  return readFileSync(file, "utf8");
}

/** @throws HeddleError where the file is missing or is not JSON. */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (e) {
    throw new HeddleError(`is not JSON: ${(e as Error).message}`, { subject: file, hint: recompile });
  }
}
