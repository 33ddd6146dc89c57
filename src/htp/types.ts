/** What goes into Qualcomm's HTP compiler and what comes out of it. Plain data: it travels between processes and into files. */

import type { BinaryFile } from "../runtime/binary-file.ts";

/** A QNN graph on disk. */
export interface GraphFile {
  /** Name of the entry point and of the graph in the context. */
  readonly name: string;
  /** Path of the `.qnn.json`. */
  readonly file: string;
  /** Effort of finalization where it is not that of the options. */
  readonly optimization?: number;
}

/** How a context is compiled. */
export interface HtpOptions {
  /** SoC model to compile for; 60 is Snapdragon X Elite. */
  readonly soc: number;
  /** Effort of finalization, 1 to 3, of graphs that do not say otherwise. */
  readonly optimization: number;
  /** VTCM in megabytes. */
  readonly vtcm: number;
  /** Graphs of the context share constants of equal name and content. */
  readonly weightSharing: boolean;
}

/** Bytes between the NPU and DDR in one run, as the compiler counts them. */
export interface DdrTraffic {
  /** All that is read: weights, inputs and what was spilled. */
  readonly read: number;
  readonly written: number;
  /** Of `written`: intermediates that did not fit VTCM. */
  readonly spilled: number;
  /** Of `read`: such intermediates coming back. */
  readonly filled: number;
}

/** One run by the vendor's performance model, with the bounds it gives itself. */
export interface Simulated {
  readonly us: number;
  readonly usLower: number;
  readonly usUpper: number;
  readonly cycles: number;
  /** Ops that the model has no cost for: the estimate leaves them out. */
  readonly uncosted: readonly string[];
}

export interface PreparedGraph {
  readonly name: string;
  /** Wall clock of `graphFinalize` in milliseconds. */
  readonly finalizeMs: number;
  /** Missing where this version of the library does not print it. */
  readonly ddr?: DdrTraffic;
  /** Only on a SoC that the simulator has costs for. */
  readonly simulated?: Simulated;
  /** Of the graph's own context, where it was saved. */
  readonly binary?: BinaryFile;
}

/** The vendor's library in its own words. */
export interface LibraryVersion {
  readonly provider: string;
  /** Of the QNN interface, `2.40.0`. */
  readonly coreVersion: string;
  readonly backendVersion: string;
  readonly buildId: string;
}

/** Work of one process. */
export interface Job extends HtpOptions {
  /** Path of the backend library. */
  readonly library: string;
  readonly graphs: readonly GraphFile[];
  /** Path of the weights that the graphs share. */
  readonly weights: string;
  /** All graphs in one context, saved to this file. Without it each has a context of its own, for its costs. */
  readonly binary?: string;
  /** Without `binary`: folder for the context of each graph, `<name>.bin`. */
  readonly binaries?: string;
}

export interface JobResult {
  readonly library: LibraryVersion;
  readonly graphs: readonly PreparedGraph[];
  readonly binary?: BinaryFile;
}
