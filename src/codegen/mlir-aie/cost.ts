/**
 * A time model of the array. Every result is `modelled`: cores at the published rate of one core, main memory at the cap of all
 * shim channels, slower the shorter the runs of addresses. Both are calibrated on arXiv 2512.13282 (see src/targets/phoenix.json).
 */
import type { AieMachine } from "../../targets/aie-machine.ts";
import { bytesOf, type Element } from "./design.ts";
import { productCycles } from "./product.ts";

/** Bytes that a DMA of the shim moves, in runs of consecutive addresses. */
export interface Traffic {
  readonly bytes: number;
  /** Bytes of one run. */
  readonly run: number;
}

export interface Cost {
  readonly seconds: number;
  /** What the cores, main memory and the streams would take alone, in seconds. The slowest sets the pace. */
  readonly compute: number;
  readonly memory: number;
  readonly stream: number;
  /** Seconds until the cores have what they start with, and from their last sum until it is in main memory: nothing else happens then. */
  readonly fill: number;
  readonly drain: number;
  readonly bytes: number;
  /** Multiply-adds that are asked for; padding is not counted. */
  readonly macs: number;
}

/** Seconds that main memory takes for the traffic of one run. */
export const memorySeconds = (machine: AieMachine, traffic: readonly Traffic[]): number =>
  traffic.reduce((s, t) => s + (t.bytes * (1 + machine.burstOverheadBytes / t.run)) / machine.ddrRate, 0);

/** @param cycles of the busiest core, and of the busiest stream. */
export function costOf(
  machine: AieMachine,
  work: {
    readonly macs: number;
    readonly cycles: number;
    readonly streamBytes: number;
    readonly traffic: readonly Traffic[];
    /** Bytes of the busiest shim channel. */
    readonly channelBytes: number;
    /** Bytes that pass one stream after the other before the cores can start: an object into the memory tile, one out of it. */
    readonly fillBytes?: number;
    /** The same behind the last sum, and what all columns bring to main memory then. */
    readonly drain?: { readonly streamBytes: number; readonly memoryBytes: number };
  },
): Cost {
  const compute = work.cycles / machine.clockHz;
  const streamRate = machine.streamBytesPerCycle * machine.clockHz;
  const stream = Math.max(
    work.streamBytes / streamRate,
    work.channelBytes / Math.min(machine.shimChannelRate, streamRate),
  );
  const memory = memorySeconds(machine, work.traffic);
  const fill = (work.fillBytes ?? 0) / Math.min(machine.shimChannelRate, streamRate);
  const drain = Math.max((work.drain?.streamBytes ?? 0) / streamRate, (work.drain?.memoryBytes ?? 0) / machine.ddrRate);
  return {
    seconds: Math.max(compute, memory, stream) + fill + drain + machine.dispatchSeconds,
    compute,
    memory,
    stream,
    fill,
    drain,
    bytes: work.traffic.reduce((s, t) => s + t.bytes, 0),
    macs: work.macs,
  };
}

/** Operations per second without the dispatch, a multiply-add as two: what papers call the throughput of the array. */
export const throughput = (c: Cost): number => (2 * c.macs) / Math.max(c.compute, c.memory, c.stream);

/** Operations per second of a product that moves both operands and the result through main memory once, and waits for nothing else. */
export function memoryBound(
  machine: AieMachine,
  s: {
    readonly m: number;
    readonly k: number;
    readonly n: number;
    readonly type: "bf16" | "i8" | "i4";
    readonly rowBytes?: 1 | 2 | undefined;
    readonly out: Element;
  },
): number {
  const [row, weight] = s.type === "bf16" ? [2, 2] : [s.rowBytes ?? 1, s.type === "i4" ? 0.5 : 1];
  const bytes = (s.m * row + s.n * weight) * s.k + s.m * s.n * bytesOf[s.out];
  return (2 * s.m * s.k * s.n) / (bytes / machine.ddrRate);
}

/**
 * Operations per second of a large GEMM on the whole array by the tile of a core alone: A and B come in runs of `run` bytes, results
 * are few beside them.
 */
export function tileThroughput(
  machine: AieMachine,
  type: "bf16" | "i8",
  tile: { readonly m: number; readonly k: number; readonly n: number },
  run: number,
): number {
  const [rows, columns] = [machine.rows - 2, machine.columns];
  const unit = type === "bf16" ? 2 : 1;
  const bytes = (rows * tile.m + columns * tile.n) * tile.k * unit;
  const seconds = Math.max(
    productCycles(machine, type, tile) / machine.clockHz,
    memorySeconds(machine, [{ bytes, run }]),
  );
  return (2 * rows * columns * tile.m * tile.k * tile.n) / seconds;
}
