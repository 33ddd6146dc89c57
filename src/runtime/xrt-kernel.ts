/** What the addon is given of a design for an AMD NPU, and what it gives back. */
import type { Numeric } from "./addon.ts";

export interface XrtBuffer {
  readonly bytes: number;
  /** Whether the design reads it, writes it, or both; what is not written is not copied back. */
  readonly direction: "in" | "out" | "inout";
}

export interface XrtPlan {
  /** The file that `aiecc` wrote. */
  readonly xclbin: string;
  /** Name of the kernel inside. Default `MLIR_AIE`, as upstream names it. */
  readonly kernel?: string;
  /** The NPU instruction stream that `aiecc` wrote beside the xclbin. */
  readonly instructions: Uint32Array;
  /** Arguments of the design's runtime sequence, in order. */
  readonly buffers: readonly XrtBuffer[];
  /** Which NPU. Default 0, the first. */
  readonly device?: number;
  /** After that many milliseconds a run is given up. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface XrtKernel {
  /**
   * Runs the design off the JavaScript thread: copies inputs in, runs, copies outputs out. Runs happen in order of the calls.
   * @param arrays one per buffer, of exactly its size
   * @throws Error (rejects) where the NPU does not complete in time, naming the state it was in
   */
  run(arrays: readonly Numeric[]): Promise<void>;
  /** Gives the hardware context back when what runs has ended. Harmless when repeated. */
  close(): void;
}
