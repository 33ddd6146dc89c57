/** A product on the matrix unit of one core: which blocks are worked on together, and how long that takes. */

import type { AieMachine } from "../../targets/aie-machine.ts";
import { perMachine } from "./per-machine.ts";

/** Operands: bf16 or i8 on both sides, or i4 weights with i8 rows. */
type Operands = "bf16" | "i8" | "i4";

/** The key of a product in a machine's tables. */
export const productOf = (type: Operands): string => (type === "i4" ? "i8xi4" : `${type}x${type}`);

interface Size {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Blocks of the result, rows by columns, whose sums stay in registers while the depth passes. */
export interface Group {
  readonly rows: number;
  readonly cols: number;
}

/** Bytes of sums that the accumulators of a core hold. */
const accumulators = 1024;
/** Cycles in which the pipeline of a loop fills and drains. */
const pipeline = 12;
const loadsPerCycle = 2;

/** Cycles of one step of depth: products, or loads of their operands in 32 bytes. */
function stepCycles(machine: AieMachine, type: Operands, { rows, cols }: Group): number {
  const [bm, bk, bn] = machine.matmul[productOf(type)]!;
  const [left, right] = type === "bf16" ? [2, 2] : [1, type === "i4" ? 0.5 : 1];
  const loads = rows * Math.ceil((bm * bk * left) / 32) + cols * Math.ceil((bk * bn * right) / 32);
  return Math.max((rows * cols * bm * bk * bn) / machine.macs[productOf(type)]!, loads / loadsPerCycle);
}

/** Cycles of all passes over a tile whose blocks are grouped like this. */
function cyclesOf(machine: AieMachine, type: Operands, { m, k, n }: Size, group: Group): number {
  const [bm, bk, bn] = machine.matmul[productOf(type)]!;
  const { rows, cols } = group;
  // Sums are loaded and stored, a block at a time, while the pipeline fills and drains.
  const pass = Math.max(pipeline, rows * cols * machine.blockOverheadCycles[type === "i4" ? "i8" : type]);
  return (m / bm / rows) * (n / bn / cols) * ((k / bk) * stepCycles(machine, type, group) + pass);
}

/** The fastest group for a tile: it divides the tile's blocks and fits the accumulators. */
export const groupOf = (machine: AieMachine, type: Operands, tile: Size): Group =>
  groups(machine, `${type} ${tile.m} ${tile.k} ${tile.n}`, () => fastest(machine, type, tile));

const groups = perMachine<Group>();

function fastest(machine: AieMachine, type: Operands, tile: Size): Group {
  const [bm, , bn] = machine.matmul[productOf(type)]!;
  const most = Math.max(1, Math.floor(accumulators / (4 * bm * bn)));
  let best: Group = { rows: 1, cols: 1 };
  let least = Number.POSITIVE_INFINITY;
  for (let rows = 1; rows <= Math.min(4, most); rows++)
    for (let cols = 1; cols <= Math.min(4, most / rows); cols++) {
      if ((tile.m / bm) % rows || (tile.n / bn) % cols) continue;
      const cycles = cyclesOf(machine, type, tile, { rows, cols });
      // Of equals the larger one, which loads operands less often.
      if (cycles <= least * (1 + 1e-9)) [best, least] = [{ rows, cols }, cycles];
    }
  return best;
}

/** Cycles of an m x k x n product on one core whose accumulators are loaded and stored once. */
export const productCycles = (
  machine: AieMachine,
  type: Operands,
  tile: Size,
  group = groupOf(machine, type, tile),
): number => cyclesOf(machine, type, tile, group);
