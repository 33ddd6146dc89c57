/** Which backend libraries this machine has, where they come from, and whether they are of a version that works. */
import { existsSync } from "node:fs";
import { loadBackend } from "./addon.ts";
import { type BackendName, backendNames, candidates, type Origin, remedies, systemLibrary } from "./libraries.ts";

export interface LibraryReport {
  readonly backend: BackendName;
  /** Every place that was looked at, best first. */
  readonly searched: readonly string[];
  /** The one that is used; nothing where none was found. */
  readonly path?: string;
  readonly origin?: Origin;
  /** Of the interface, and of the build, in the library's own words. */
  readonly version?: { readonly provider: string; readonly qnn: string; readonly build: string };
  /** For HTP: the System library, which reads context binaries. */
  readonly system?: string;
  /** What is wrong, in words; nothing where all is well. */
  readonly problem?: string;
  /** What to do about it, where that is known. */
  readonly remedy?: string;
  /** What may be worth knowing. */
  readonly note?: string;
}

/** Minor versions of QNN 2 that the tests run with. */
const tested: Readonly<Partial<Record<BackendName, number>>> = { "qnn-cpu": 36, htp: 40 };

/** @param names the backends to report on; each library that is found is loaded and let go again. */
export const reportLibraries = (names: readonly BackendName[] = backendNames): LibraryReport[] => names.map(report);

function report(backend: BackendName): LibraryReport {
  const places = candidates(backend);
  const searched = places.map((p) => p.path);
  const found = places.find((p) => existsSync(p.path));
  if (!found) return { backend, searched, problem: "not installed", remedy: remedies[backend] };
  const base = { backend, searched, ...found };
  const system = backend === "htp" ? systemLibrary(found.path) : undefined;
  try {
    const library = loadBackend(found.path);
    const { provider, coreVersion, buildId } = library;
    library.close();
    const version = { provider, qnn: coreVersion, build: buildId };
    const note = unusedSdk(found.origin) ?? olderThanTested(backend, coreVersion);
    if (system !== undefined && !existsSync(system)) return { ...base, version, problem: `no ${system} beside it` };
    return { ...base, version, ...(system !== undefined && { system }), ...(note !== undefined && { note }) };
  } catch (e) {
    return { ...base, problem: (e as Error).message };
  }
}

/** A variable that is set and not followed deserves a word. */
const unusedSdk = (origin: Origin): string | undefined =>
  process.env.QNN_SDK_ROOT && origin === "npm run setup:qualcomm"
    ? `QNN_SDK_ROOT is ${process.env.QNN_SDK_ROOT}, which has no such library for this machine`
    : undefined;

function olderThanTested(backend: BackendName, version: string): string | undefined {
  const wanted = tested[backend];
  const minor = Number(version.split(".")[1]);
  return wanted === undefined || minor >= wanted
    ? undefined
    : `QNN ${version} is older than 2.${wanted}, which Heddle is tested with: it may refuse ops that newer ones take, and context binaries that newer ones wrote`;
}
