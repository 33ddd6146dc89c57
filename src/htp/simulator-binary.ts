/**
 * What Qualcomm's simulator loads. It cannot load a context whose graphs share their weights ("Shared weights buffer isn't
 * supported on this platform"), so on x86-64 every entry point has a context of its own: the one that its costs were found
 * with. These stay in the cache, because they are large and no NPU needs them.
 */
import { HeddleError } from "../ir/error.ts";
import { type BuildFolder, readJson, weightsOf } from "../runtime/build-folder.ts";
import { findLibrary } from "../runtime/libraries.ts";
import { finalizeLevel } from "./level.ts";
import { libraryVersion } from "./library-version.ts";
import { cacheKeys, openCache, prepareContext, xEliteCosted } from "./prepare.ts";

/**
 * Path of the context binary of one entry point. It is compiled where the cache does not have it any more.
 * @param onStep is told what is being compiled, which can take minutes
 * @throws HeddleError as `prepareContext`, or where the cache cannot be written to
 */
export async function simulatorBinary(
  build: BuildFolder,
  name: string,
  graph: string,
  onStep?: (text: string) => void,
): Promise<string> {
  readJson(build.path(graph)); // says so in words where it is missing or damaged
  const { context, weights } = build.manifest;
  const entry = build.manifest.entries.find((e) => e.name === name)!;
  const { soc, optimization, vtcm, weightSharing } = context!;
  const library = findLibrary("htp");
  const request = {
    graphs: [{ name, file: build.path(graph), optimization: finalizeLevel(entry, build.manifest) }],
    weights: build.path(weights.file),
    weightsSha256: weights.sha256,
    options: { soc, optimization, vtcm, weightSharing },
    costedSoc: xEliteCosted,
  };
  const cache = openCache(true)!;
  const key = cacheKeys({ ...request, library: libraryVersion(library) }).costs.get(name)!;
  const known = cache.find(key);
  if (known !== undefined) return known;
  await prepareContext({ ...request, library, weights: weightsOf(build), ...(onStep && { onStep }) });
  const made = cache.find(key);
  if (made === undefined)
    throw new HeddleError("cannot be written to, and holds the contexts that the simulator loads", {
      subject: cache.folder,
      hint: "make room, or set HEDDLE_CACHE to another folder",
    });
  return made;
}
