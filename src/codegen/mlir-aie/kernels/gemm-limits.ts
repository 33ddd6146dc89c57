/** What descriptors and addresses allow a GEMM plan. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { GemmTiles } from "./gemm-shape.ts";

/** What a BD of the shim can walk in its two inner dimensions, in 32-bit words. */
export const shimWrap = 1023;

/**
 * How often a memory tile can send what it keeps: a divisor of `times`. Every time takes a descriptor of its own for every buffer, of
 * those that channels of one parity have.
 * @param others descriptors of what else leaves through channels of the parity.
 */
export function sendsOf(machine: AieMachine, times: number, buffers: number, others: number): number {
  let sends = Math.min(times, Math.floor((free(machine) - others) / buffers));
  while (times % sends) sends--;
  return sends;
}

/** Descriptors of a parity that what comes in, two for each FIFO, leaves to what goes out. */
function free(machine: AieMachine): number {
  const comesIn = machine.rows - 2 + 2;
  return machine.tiles.memory.bdsPerParity - 2 * Math.ceil(comesIn / 2);
}

/** Descriptors of one of the streams in which results leave: two for each core that it joins. */
export const ofResults = (machine: AieMachine, streams: number): number => (2 * (machine.rows - 2)) / streams;

/**
 * Channels are numbered in the order of FIFOs: B and the first stream of the results leave through even ones, A and a second stream
 * through odd ones. Where A alone is sent again, and more often than that allows, a second stream takes B's place, and B its own.
 */
export const besideA = (machine: AieMachine, streams: number, isBKept: boolean): number =>
  streams === 1 ? 0 : isBKept ? ofResults(machine, streams) : 2;
export const isBBesideA = (machine: AieMachine, g: Pick<GemmTiles, "sends" | "depths" | "halves">): boolean =>
  g.halves > 1 && g.sends.a > 1 && g.sends.a * g.depths.a > free(machine) - ofResults(machine, g.halves);

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
