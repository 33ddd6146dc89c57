/** Modelled time of a GEMM plan. Counts of operations are those of the programs in `gemm-core.ts`; a test holds them to the simulator's. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import { type Cost, costOf } from "../cost.ts";
import { bytesOf } from "../design.ts";
import { productCycles } from "../product.ts";
import { rowsAtOnce, smallSum } from "./gemm-scale.ts";
import { type GemmShape, type GemmTiles, isScaled, partsOf, rowsType } from "./gemm-shape.ts";

/** Cycles of the pipeline of a loop, and of starting a function and taking and giving objects around it. */
const loop = 12;
const call = 24;

/** Vector operations that make floats of 16 sums, small and any, and multiply them with their scales: a product of f32 takes three. */
const conversion = { 1: { small: 4, any: 10 }, 2: { small: 5, any: 17 } } as const;

/**
 * Mean magnitude of a column's weights that the model takes for granted, to say whether sums are small: above that of any column of
 * Gemma 3 270M with K = 640 and of a trained GPT-2 with K = 768 (measured, scales by largest magnitude); of int4 the most there is.
 */
const magnitude = { i8: 42, i4: 7 } as const;
/** Whether the model takes the sums of a product to be small. A core looks at what its weights say. */
export const isSmall = ({ type, k }: Pick<GemmShape, "type" | "k">): boolean =>
  type !== "bf16" && 128 * magnitude[type] * k <= smallSum;

/** Vector operations on 16 sums that make a result of them. */
const operations = (s: GemmShape): number =>
  (isScaled(s) ? conversion[s.rowBytes ?? 1][isSmall(s) ? "small" : "any"] : 0) +
  (s.norm ? 8 : 0) +
  (s.activation ? 31 : 0) +
  (s.out === "i8" ? 4 : s.out === "bf16" ? 1 : 0);

/** Cycles for one block of the result beside its products: to begin with its bias (a store of each 32 bytes), and to finish it. */
function blockCycles(g: Omit<GemmTiles, "cost">): { readonly start: number; readonly finish: number } {
  const lanes = g.block[0] * g.block[2];
  const start = g.bias && !g.norm ? (lanes * bytesOf[g.accumulator]) / 32 : 0;
  const work = (lanes / 16) * operations(g);
  return { start, finish: g.inPlace && !work ? 0 : Math.max(work, (lanes * bytesOf[g.out]) / 32) };
}

/** Cycles in which rows of a tile become results. @param finish of a block. */
function finishing(g: Omit<GemmTiles, "cost">, rows: number, finish: number): number {
  const [mb, , nb] = g.block;
  return finish ? (rows / mb) * (loop / (isScaled(g) ? rowsAtOnce(g) : 1) + (g.tile.n / nb) * finish) : 0;
}

/** The tiles whose rate on one core is published (arXiv 2512.13282): the best that a core does. */
const ofOneCore = {
  bf16: { m: 64, k: 104, n: 64 },
  i8: { m: 64, k: 232, n: 64 },
  i4: { m: 64, k: 240, n: 64 },
} as const;

/** Operations per second that the cores allow: products as fast as one core was measured, and what makes results of their sums. */
export function coresBound(machine: AieMachine, s: GemmShape): number {
  const { m, k, n } = ofOneCore[s.type];
  const rate = (m * k * n) / productCycles(machine, s.type, { m, k, n });
  const cycles = s.m * s.n * (((s.rowBytes ?? 1) * s.k) / rate + operations(s) / 16);
  return (2 * s.m * s.k * s.n) / (cycles / (machine.rows - 2) / machine.columns / machine.clockHz);
}

/** Cycles that a core works on one tile of the result. */
function tileCycles(machine: AieMachine, g: Omit<GemmTiles, "cost">): number {
  const { tile, block, pieces, chunks } = g;
  const part = { ...tile, m: tile.m / pieces };
  const products = chunks * (pieces * (productCycles(machine, g.type, part, g.group) + call) + call);
  const cols = tile.n / block[2];
  const { start, finish } = blockCycles(g);
  return products + (tile.m / block[0]) * cols * start + finishing(g, g.rows, finish) + call;
}

export function gemmCost(machine: AieMachine, g: Omit<GemmTiles, "cost">): Cost {
  const { tile, across, chunks, sends, padded, k } = g;
  const grid = g.mapping === "grid";
  const [arrayRows, arrayColumns] = [machine.rows - 2, machine.columns];
  const unit = bytesOf[rowsType(g.type)];
  const [left, right] = [g.bytes.a * g.pieces, g.bytes.b];
  const result = g.rows * tile.n * bytesOf[g.out];
  const count = across.m * across.n;
  const busy = tileCycles(machine, g);
  // Sums leave over a stream of their own, while the next tile is worked on if there is room for both.
  const leaves = result / machine.streamBytesPerCycle;
  const inParts = partsOf(g) > 1 ? leavingInParts(machine, g) : undefined;
  const waits = inParts
    ? inParts.wait
    : g.inPlace === 1
      ? leaves
      : g.inPlace === 2
        ? 0
        : leaves - (2 * result * g.strip) / g.rows / machine.streamBytesPerCycle - tail(g);
  // A norm sums up every row once, two products for each block of it, and has two roots for each block of rows.
  const rowBlocks = tile.m / g.block[0];
  const norm = g.norm ? across.m * rowBlocks * (2 * (k / g.block[1]) + chunks * loop + 60) : 0;
  // What a memory tile keeps in one buffer is not there while it changes, but for the first time, which is the fill.
  const changes = (depth: number, times: number, bytes: number) => (depth === 1 ? (times - 1) * bytes : 0);
  const changing =
    (changes(g.depths.a, (across.m * across.n) / sends.a, g.objects.a) +
      changes(g.depths.b, across.m / sends.b, g.objects.b)) /
    machine.streamBytesPerCycle;
  const cycles = count * (busy + Math.max(0, waits)) + norm + changing;
  const weights = across.n * chunks * right * (grid ? arrayColumns : arrayColumns * arrayRows);
  const a = padded.m * (g.rowBytes ?? 1) * k * unit * (across.n / sends.a);
  const b = weights * (across.m / sends.b);
  const c = padded.m * padded.n * bytesOf[g.out];
  return costOf(machine, {
    macs: g.m * k * g.n,
    cycles,
    streamBytes: count * Math.max(chunks * left, chunks * right, result) + changing * machine.streamBytesPerCycle,
    traffic: [
      { bytes: a, run: grid ? tile.m * k * unit : g.panel * unit },
      { bytes: b, run: 1 << 20 },
      { bytes: c, run: grid ? 1 << 20 : tile.n * bytesOf[g.out] },
    ],
    channelBytes: Math.max(a / (grid ? arrayRows : 1), b / arrayColumns, c / arrayColumns / g.halves),
    fillBytes: Math.max(g.objects.a + g.bytes.a, g.objects.b + right),
    drain: inParts?.drain ?? {
      streamBytes: (g.inPlace ? result : (result * g.strip) / g.rows) + (arrayRows / g.halves) * result,
      memoryBytes: arrayColumns * arrayRows * result,
    },
  });
}

/**
 * Of results that leave in parts: cycles that the next tile's first step waits for their room, and what is left behind the last
 * sum, as `costOf` has it.
 */
function leavingInParts(machine: AieMachine, g: Omit<GemmTiles, "cost">) {
  const parts = partsOf(g);
  const [arrayRows, arrayColumns] = [machine.rows - 2, machine.columns];
  const bytes = g.strip * g.tile.n * bytesOf[g.out];
  const leaves = bytes / machine.streamBytesPerCycle;
  const { finish } = blockCycles(g);
  const products =
    (g.rowBytes ?? 1) * (productCycles(machine, g.type, { ...g.tile, m: g.tile.m / g.pieces }, g.group) + call);
  const last = products + finishing(g, g.strip, finish);
  // The next tile asks for the room of a part before its products; with one step of K that is the last one, too.
  const next = g.chunks === 1 ? last : products;
  const end = parts * last;
  let [left, passed, wait] = [0, 0, 0];
  for (let part = 0; part < parts; part++) {
    left = Math.max(left, (part + 1) * last) + leaves;
    // Behind a core's stream a column's parts share one to the shim.
    passed = Math.max(passed, left) + (arrayRows / g.halves) * leaves;
    wait = Math.max(wait, left - end - part * next);
  }
  const all = arrayColumns * arrayRows * bytes;
  const before = ((end - last - leaves) / machine.clockHz) * machine.ddrRate;
  return {
    wait,
    drain: {
      streamBytes: (passed - end) * machine.streamBytesPerCycle,
      memoryBytes: Math.max(all, parts * all - Math.max(0, before)),
    },
  };
}

/** Cycles of the part of a tile's end in which its results leave. */
const tail = (g: Omit<GemmTiles, "cost">): number =>
  ((g.rows * g.tile.n) / (g.block[0] * g.block[2])) * blockCycles(g).finish;
