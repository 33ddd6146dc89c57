/** What descriptors and addresses allow a GEMM plan. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { Sends } from "./gemm-shape.ts";

/** What a BD of the shim can walk in its two inner dimensions, in 32-bit words. */
export const shimWrap = 1023;

/**
 * How often a memory tile can send what it keeps: a divisor of `times`. Every time takes a descriptor of its own, of two buffers for
 * A and one for B. Channels are numbered in the order of FIFOs: B and the first half of the results, with two descriptors for each
 * core that they join, leave through even ones, A and the other half through odd ones, and half of what comes in, two for each
 * FIFO, goes through either.
 */
export function sendsOf(machine: AieMachine, operand: keyof Sends, times: number, halves: number): number {
  const rows = machine.rows - 2;
  const results = halves === 1 ? (operand === "a" ? 0 : 2 * rows) : (2 * rows) / halves;
  const left = machine.tiles.memory.bdsPerParity - 2 * Math.ceil((rows + 2) / 2) - results;
  let sends = Math.min(times, operand === "a" ? Math.floor(left / 2) : left);
  while (times % sends) sends--;
  return sends;
}

/** As many rows as fit a few kilobytes: results leave while the next ones are rounded, and take little room. */
export function stripOf(tile: { readonly m: number; readonly n: number }, step: number, unit: number): number {
  let best = step;
  for (let rows = step; rows <= tile.m; rows += step)
    if (tile.m % rows === 0 && rows * tile.n * unit <= 3072) best = rows;
  return best;
}

/** Columns of a panel of few rows of A, which lie in main memory as they are: the widest that addresses allow. */
export const panelOf = (machine: AieMachine, k: number, tile: { readonly k: number }, unit: number): number =>
  Array.from({ length: k / tile.k }, (_, i) => k / (i + 1)).find(
    (panel) => panel % tile.k === 0 && (panel * unit) / 4 <= shimWrap && !tooWide(machine, panel, unit),
  ) ?? tile.k;

/** Whether rows of so many columns are more than a descriptor of a memory tile walks. */
export function tooWide(machine: AieMachine, columns: number, unit: number): boolean {
  const { stepBits, wrapBits } = machine.tiles.memory;
  return columns * unit >= 1 << stepBits || columns / 8 >= 1 << wrapBits || (columns * unit) / 4 > shimWrap;
}
