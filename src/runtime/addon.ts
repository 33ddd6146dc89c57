/**
 * The native runtime as TypeScript sees it: a thin, checked face of the QNN C interface. It loads any library that exports
 * that interface, builds graphs from `<entry>.qnn.json` and executes them off the JavaScript thread on typed arrays, without
 * copies. What it is given is checked in full before it reaches the library: wrong values are a TypeError that names the
 * field, refusals of the library a QnnError, calls on something closed an Error.
 *
 * Everything has a `close()`. It may be called twice and in any order; closing a backend closes its contexts, and what runs
 * at that moment is allowed to end first. Objects that are dropped instead are freed by the garbage collector.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { HeddleError } from "../ir/error.ts";
import { QnnError } from "./qnn-error.ts";
import type { XrtKernel, XrtPlan } from "./xrt-kernel.ts";

export { QnnError } from "./qnn-error.ts";

/** Any typed array. */
export type Numeric =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/**
 * Arrays for the inputs or outputs of a graph, by name or in order. What is bound may be left out. An array has the class of
 * the tensor's data type (Float32Array for FLOAT_32, Int32Array for INT_32, Uint16Array for FLOAT_16, ...) or is a Uint8Array
 * over the raw bytes; its length is exactly the tensor's.
 */
export type Arrays = Readonly<Record<string, Numeric>> | readonly (Numeric | undefined)[];

export interface BackendOptions {
  /** What to keep of the library's log. Default `warn`. */
  readonly logLevel?: "error" | "warn" | "info" | "verbose" | "debug";
  /** Reference backend: worker threads, 0 (default) for one per core. */
  readonly threads?: number;
  /** Reference backend, for tests: instruction set. Default `auto`. */
  readonly simd?: "auto" | "scalar" | "avx2" | "avx512" | "neon";
  /** HTP: number of the SoC to compile for and to simulate; 60 is Snapdragon X Elite. */
  readonly soc?: number;
}

export interface LogLine {
  readonly level: "error" | "warn" | "info" | "verbose" | "debug";
  readonly text: string;
}

/** A loaded library with its device. Libraries are let go when the last backend made from them is closed. */
export interface Backend {
  /** 3 Qualcomm CPU, 6 HTP, 0x48 Heddle's reference backend. */
  readonly id: number;
  /** `HTP_QTI_AISW`, `HEDDLE_REFERENCE`, ... */
  readonly provider: string;
  /** Version of the QNN interface that was agreed on, `2.40.0`. */
  readonly coreVersion: string;
  readonly backendVersion: string;
  readonly buildId: string;
  readonly path: string;
  /** What the library logged since the last call. The newest 8,192 lines are kept. */
  takeLog(): LogLine[];
  createContext(options?: ContextOptions): Context;
  /**
   * Loads a context that `Context.save` wrote, from a file (mapped, not read) or from memory. Its graphs are final.
   * @throws QnnError (rejects) where the binary is corrupt or was made for another library or SoC.
   */
  loadContext(binary: string | ArrayBuffer | Uint8Array, options?: ContextOptions): Promise<Context>;
  /**
   * Asks about every node of a graph and builds nothing.
   * @returns what the backend refuses, in the order of the nodes; empty where it takes them all
   */
  refusals(description: unknown, weights?: Weights): QnnError[];
  /**
   * What a context binary says of itself, by way of the library's System interface. Nothing is loaded.
   * @throws QnnError where the System library is missing or refuses the binary.
   */
  describeBinary(binary: string | ArrayBuffer | Uint8Array): BinaryDescription;
  close(): void;
}

/** Contents of a context binary. */
export interface BinaryDescription {
  /** Of the library that wrote it. */
  readonly buildId: string;
  readonly coreVersion: string;
  readonly backendVersion: string;
  readonly backendId: number;
  readonly socVersion?: string;
  /** The SoC that it was compiled for, where the library's version says so. */
  readonly socModel?: number;
  readonly graphs: readonly {
    readonly name: string;
    readonly inputs: readonly TensorInfo[];
    readonly outputs: readonly TensorInfo[];
  }[];
}

declare const mapping: unique symbol;
/** A mapped file for the native side, of any size: `weights` of a graph. */
export interface Mapping {
  readonly [mapping]: true;
}

/** Memory with the constants of a graph. */
export type Weights = ArrayBuffer | Uint8Array | Mapping;

export interface ContextOptions {
  /**
   * Reference backend: constants are used where they lie instead of being copied. The weights must come from `mapFile` or
   * `allocate`, are kept alive until the context is closed, and must not be changed meanwhile.
   */
  readonly borrowStatic?: boolean;
  /** HTP: graphs of this context share constants of equal name and content. */
  readonly weightSharing?: boolean;
  /** HTP: the context is only compiled and saved; it cannot execute. Spares the memory and the time of preparing for that. */
  readonly prepareOnly?: boolean;
}

export interface GraphOptions {
  /** HTP: effort of finalization, 1 to 3. */
  readonly optimization?: number;
  /** HTP: VTCM in megabytes, 0 for all there is. Default 4. */
  readonly vtcm?: number;
  /** HTP: number of vector threads. */
  readonly hvxThreads?: number;
}

/** Graphs that are compiled and saved together and share memory. What is asked of one context happens in order. */
export interface Context {
  /**
   * Checks and builds a graph.
   * @param description a parsed `<entry>.qnn.json`
   * @param weights what `data.offset` of its tensors counts from; must not change before `finalize` has ended
   * @throws TypeError naming the field that is wrong; QnnError naming the node or tensor that the backend refuses. After a
   *   refusal in validation the context is as before; after a later one it can only be closed.
   */
  addGraph(description: unknown, weights?: Weights, options?: GraphOptions): Graph;
  /** @throws TypeError that lists the graphs there are. */
  graph(name: string): Graph;
  graphNames(): string[];
  /** Compiles every graph that is not final yet, off this thread. */
  finalize(options?: ProfileOptions): Promise<void>;
  /** The context as a binary, for `Backend.loadContext`. */
  save(): Promise<Uint8Array>;
  close(): void;
}

export interface ProfileOptions {
  /** Record events, to be read with `Graph.profile`. */
  readonly profile?: "basic" | "detailed";
}

export interface TensorInfo {
  readonly name: string;
  /** `FLOAT_32`, `INT_32`, ... */
  readonly dataType: string;
  readonly dims: readonly number[];
  readonly bytes: number;
  /** True for state that the graph updates in place (APP_READWRITE). */
  readonly state: boolean;
}

export interface ProfileEvent {
  /** Number that the backend's manual explains; 404 is a node, 2019 simulated microseconds on HTP. */
  readonly type: number;
  readonly unit: "none" | "us" | "bytes" | "cycles" | "count" | "backend";
  readonly value: number;
  readonly identifier: string;
  readonly children: readonly ProfileEvent[];
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Uses `array` for this input or output in every run to come, unless the run is given another: weights and caches are bound
   * once instead of being passed with each token.
   */
  bind(name: string, array: Numeric): void;
  unbind(name: string): void;
  /**
   * Runs the graph off this thread. The arrays are read and written in place and must not be transferred before the promise
   * resolves. Runs of one context happen one after the other, in order of the calls.
   */
  execute(inputs?: Arrays, outputs?: Arrays, options?: ProfileOptions): Promise<void>;
  /** Runs the graph on this thread, for benchmarks. @throws Error while the context is busy. */
  executeSync(inputs?: Arrays, outputs?: Arrays, options?: ProfileOptions): void;
  /** Events of the last finalization and run that recorded any. */
  profile(): { readonly finalize: readonly ProfileEvent[]; readonly execute: readonly ProfileEvent[] };
}

interface Native {
  loadBackend(path: string, options?: BackendOptions): Backend;
  mapFile(path: string): Mapping & { view(): ArrayBuffer; close(): void };
  allocate(bytes: number): ArrayBuffer;
  detach(buffer: ArrayBuffer): void;
  readBandwidth(options: ReadOptions): Float64Array;
  openXrtKernel(library: string, plan: XrtPlan): Promise<XrtKernel>;
  setErrorClass(type: typeof QnnError): void;
}

let loaded: Native | undefined;

function native(): Native {
  if (loaded) return loaded;
  // Another build of the addon, such as one with AddressSanitizer, may take its place.
  const file = process.env.HEDDLE_ADDON ?? fileURLToPath(new URL("build/Release/heddle.node", import.meta.url));
  const hint = "npm run build:native";
  if (!existsSync(file)) throw new HeddleError(`the native runtime is not built: there is no ${file}`, { hint });
  try {
    loaded = createRequire(import.meta.url)(file) as Native;
  } catch (cause) {
    const error = new HeddleError(`the native runtime cannot be loaded: ${(cause as Error).message}`, { hint });
    error.cause = cause;
    throw error;
  }
  loaded.setErrorClass(QnnError);
  return loaded;
}

/**
 * Loads a backend library and starts its device.
 * @throws QnnError where the file is missing, is not a library, does not export the QNN interface or has another version of
 *   it, and where the backend cannot start; TypeError for an option that this backend does not have.
 */
export const loadBackend = (path: string, options?: BackendOptions): Backend => native().loadBackend(path, options);

export interface MappedFile {
  readonly mapping: Mapping;
  /**
   * The file's bytes. Writing to them changes this process's copy, never the file.
   * @throws Error for a file that is larger than JavaScript's buffers may be (4 GiB in Node 20), TypeError once it is closed.
   */
  readonly buffer: ArrayBuffer;
  /** Detaches the buffer. The mapping itself goes when no context borrows from it any more. */
  close(): void;
}

/** Maps a file into memory. @throws TypeError where it is missing, empty or not a regular file. */
export function mapFile(path: string): MappedFile {
  const mapping = native().mapFile(path);
  let view: ArrayBuffer | undefined;
  return {
    mapping,
    get buffer() {
      view ??= mapping.view();
      return view;
    },
    close: () => {
      if (view) native().detach(view);
      mapping.close();
    },
  };
}

/** Zeroed memory, aligned to 64 bytes, that the native side can keep alive on its own. @throws RangeError without memory. */
export const allocate = (bytes: number): ArrayBuffer => native().allocate(bytes);

/** Gives memory of `allocate` back now rather than when it is collected: detaches the buffer and every array over it. */
export const release = (buffer: ArrayBuffer): void => native().detach(buffer);

export interface ReadOptions {
  readonly bytes: number;
  readonly threads: number;
  readonly repeats: number;
  /** Ask for memory a page ahead, as kernels on blocks do. Default: plain loads. */
  readonly fetchAhead?: boolean;
}

/**
 * Reads memory and nothing else, for benchmarks: the bound of a step that must read that many bytes.
 * @returns seconds of each repeat of reading `bytes` bytes once, shared between `threads` threads
 */
export const readBandwidth = (options: ReadOptions): Float64Array => native().readBandwidth(options);

/** A kernel on an AMD NPU by the XRT library at `library`: `openXrt` of xrt.ts finds that library and words the errors. */
export const openXrtKernel = (library: string, plan: XrtPlan): Promise<XrtKernel> =>
  native().openXrtKernel(library, plan);
