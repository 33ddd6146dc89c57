/**
 * A step and a plain read of memory, in turns: what a machine can read changes from second to second when others share it,
 * so a share of the read rate is taken pair by pair.
 */
import { setTimeout } from "node:timers/promises";
import { readBandwidth } from "../src/runtime/addon.ts";
import { median } from "./record.ts";

export interface Paired {
  /** Median of the steps, in ms. */
  readonly ms: number;
  /** Median of the read rates, in GB/s. */
  readonly rate?: number;
  /** Median over the pairs of the time that reading `bytes` takes over the time of the step. */
  readonly share?: number;
}

/** Large enough that a cache of 32 MB changes its rate by little. */
const readBytes = 256e6;
/** Worker threads of both sides spin for a while after a run; none may take a core from the other. */
const pauseMs = 20;

/** @param step runs number `i` once and returns its time in ms. */
export async function pairWithReads(
  { bytes, threads, repeats }: { bytes: number; threads: number; repeats: number },
  step: (i: number) => Promise<number>,
): Promise<Paired> {
  const pairs: { ms: number; rate: number }[] = [];
  await step(0);
  for (let i = 1; i <= repeats; i++) {
    await setTimeout(pauseMs);
    const rate = readBytes / Math.min(...readBandwidth({ bytes: readBytes, threads, repeats: 3 })) / 1e9;
    await setTimeout(pauseMs);
    pairs.push({ ms: await step(i), rate });
  }
  return {
    ms: median(pairs.map((p) => p.ms)),
    rate: median(pairs.map((p) => p.rate)),
    share: median(pairs.map((p) => bytes / p.rate / 1e6 / p.ms)),
  };
}

/** Most memory that this process has held, in bytes; pages of mapped files that were read count. */
export const peakMemory = (): number => process.resourceUsage().maxRSS * 1024;
