/** How much memory the vendor's compiler takes: jobs run side by side only where it is there for all of them. */
import { statSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";
import type { Job } from "./types.ts";

/**
 * Bytes that the compiler takes at its worst for graphs over shared weights in one context, with some room. Measured with GPT-2 124M in f16,
 * whose weights are 249 MB: 2.1 GB for a graph alone, 3.4 GB for two graphs in one context, 8.2 GB for six; with thirds of Gemma 3 1B in
 * f16, 861 to 875 MB each: 4.9 to 8.2 GB for graphs alone, 6.5 to 7.3 GB for two in one context.
 * @param weights bytes as they are stored
 */
export const compilerMemory = (weights: number, graphs: number): number => weights * (7.5 + graphs) + graphs * 1e9;

/** Bytes that a job takes at its worst. */
export const memoryNeed = ({ weights, graphs, binary }: Pick<Job, "weights" | "graphs" | "binary">): number =>
  compilerMemory(statSync(weights).size, binary === undefined ? 1 : graphs.length);

/**
 * How many jobs like `costing` run at the same time.
 * @param first the job that runs beside them, if any
 * @returns at least 1, and whether that one runs beside `first` or after it
 */
export function costingLanes(costing: Job, first: Job | undefined): { lanes: number; beside: boolean } {
  const cores = availableParallelism() - (first ? 1 : 0);
  const room = Math.floor((freemem() - (first ? memoryNeed(first) : 0)) / memoryNeed(costing));
  const lanes = Math.min(cores, room);
  return lanes >= 1 ? { lanes, beside: true } : { lanes: 1, beside: false };
}
