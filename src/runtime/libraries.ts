/** Where the backend libraries are: one place that knows, and says what it searched. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HeddleError } from "../ir/error.ts";
import { type Backend, type BackendOptions, loadBackend } from "./addon.ts";

/** `reference`: our own, on the CPU. `qnn-cpu` and `htp`: Qualcomm's, on the CPU and on the Hexagon NPU or its simulator. */
export const backendNames = ["reference", "qnn-cpu", "htp"] as const;
export type BackendName = (typeof backendNames)[number];

/** How to get a library that is not there. */
export const remedies: Readonly<Record<BackendName, string>> = {
  reference: "npm run build:native",
  "qnn-cpu": "npm run setup:qualcomm (x86-64 Linux), or set QNN_SDK_ROOT to an installed Qualcomm AI Runtime SDK",
  htp: "npm run setup:qualcomm (x86-64 Linux), or set QNN_SDK_ROOT to an installed Qualcomm AI Runtime SDK",
};

const stems: Readonly<Record<BackendName, string>> = {
  reference: "heddle_reference",
  "qnn-cpu": "QnnCpu",
  htp: "QnnHtp",
};

/** Folders of Qualcomm's SDK by `platform-arch`, best first. */
const sdkFolders: Readonly<Record<string, readonly string[]>> = {
  "linux-x64": ["x86_64-linux-clang"],
  "linux-arm64": ["aarch64-oe-linux-gcc11.2", "aarch64-oe-linux-gcc9.3", "aarch64-ubuntu-gcc9.4", "aarch64-linux-gcc"],
  "win32-x64": ["x86_64-windows-msvc"],
  "win32-arm64": ["aarch64-windows-msvc", "arm64x-windows-msvc"],
};

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** `$QNN_SDK_ROOT` */
  readonly sdk: string | undefined;
}

const thisMachine = (): Machine => ({
  platform: process.platform,
  arch: process.arch,
  sdk: process.env.QNN_SDK_ROOT || undefined,
});

/** File name of a library on a platform: `libQnnHtp.so`, `QnnHtp.dll`. */
export function libraryFile(name: BackendName, platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return `${name === "reference" ? "lib" : ""}${stems[name]}.dll`;
  return `lib${stems[name]}.${platform === "darwin" ? "dylib" : "so"}`;
}

/** Where a library may come from. */
export type Origin = "npm run build:native" | "QNN_SDK_ROOT" | "npm run setup:qualcomm";

export interface Candidate {
  readonly path: string;
  readonly origin: Origin;
}

/** All files that would serve, best first; `$QNN_SDK_ROOT` is the user's own choice and comes before what we fetched. */
export const libraryCandidates = (name: BackendName, machine: Machine = thisMachine()): string[] =>
  candidates(name, machine).map((c) => c.path);

/** As `libraryCandidates`, each with where it comes from. */
export function candidates(name: BackendName, machine: Machine = thisMachine()): Candidate[] {
  const file = libraryFile(name, machine.platform);
  const runtime = dirname(fileURLToPath(import.meta.url));
  if (name === "reference") return [{ path: join(runtime, "build", "Release", file), origin: "npm run build:native" }];
  const sdk = machine.sdk;
  const folders = sdk ? (sdkFolders[`${machine.platform}-${machine.arch}`] ?? []).map((f) => join(sdk, "lib", f)) : [];
  const fetched = join(runtime, "..", "..", ".qualcomm", name, "onnxruntime_qnn");
  return [
    ...folders.map((folder) => ({ path: join(folder, file), origin: "QNN_SDK_ROOT" as const })),
    { path: join(fetched, file), origin: "npm run setup:qualcomm" },
  ];
}

/** The System library, which reads context binaries. It lies beside the backend library and is of the same version. */
export const systemLibrary = (backend: string, platform: NodeJS.Platform = process.platform): string =>
  join(dirname(backend), platform === "win32" ? "QnnSystem.dll" : "libQnnSystem.so");

/** Path of a backend's library. @throws HeddleError that lists what was searched and says how to get it. */
export function findLibrary(name: BackendName): string {
  const files = libraryCandidates(name);
  const found = files.find((file) => existsSync(file));
  if (found) return found;
  throw new HeddleError(
    `the library of backend '${name}' is not installed; searched:${files.map((c) => `\n    ${c}`).join("")}`,
    { hint: remedies[name] },
  );
}

/**
 * Path of the library with Qualcomm's compiler, which must have the System library beside it.
 * @throws HeddleError that says what is missing and where it was looked for
 */
export function findCompilerLibrary(): string {
  const found = findLibrary("htp");
  const system = systemLibrary(found);
  if (existsSync(system)) return found;
  throw new HeddleError(`the System library, which reads context binaries back, is not beside ${found}: no ${system}`, {
    hint: "take all QNN libraries from one release and keep them in one folder",
  });
}

/** Snapdragon X Elite: what the simulator stands for, unless it is told another number. */
const simulatedSoc = 60;

/**
 * Loads a backend by name. HTP on an x86-64 machine is the simulator, which must be told what to simulate; an NPU knows what it is, so
 * there `soc` is left out.
 * @param threads of the reference backend; the others have no such option, so for them it is an error to give one.
 */
export function openBackend(name: BackendName, threads?: number, options: BackendOptions = {}): Backend {
  const { soc = simulatedSoc, ...others } = options;
  const simulator = name === "htp" && process.arch === "x64";
  return loadBackend(findLibrary(name), {
    ...others,
    ...(simulator && { soc }),
    ...(threads !== undefined && { threads }),
  });
}
