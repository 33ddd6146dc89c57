/**
 * What a planner and a simulator must know of an AIE array: memories, DMA engines, locks, and the rates of a time model.
 * Sizes are in bytes, DMA addresses and steps in 32-bit words, rates per cycle of the array's clock unless they say otherwise.
 * The numbers and where they come from are in the descriptions beside this file.
 */

import { type Figure, loadTarget, targetNames } from "./target.ts";

export type TileKind = "compute" | "memory" | "shim";

/** One kind of tile. */
export interface TileLimits {
  /** Data memory; a shim tile has none. */
  readonly memoryBytes: number;
  readonly banks: number;
  /** DMA channels from the stream into memory, and from memory to the stream. */
  readonly s2mm: number;
  readonly mm2s: number;
  /** Buffer descriptors of the tile. */
  readonly bds: number;
  /** Buffer descriptors that even channels can reach, and odd ones: half of them on a memory tile; all elsewhere. */
  readonly bdsPerParity: number;
  readonly locks: number;
  /** Highest value of a lock. */
  readonly lockMax: number;
  /** Dimensions of an access pattern besides the iteration. */
  readonly bdDims: number;
  /** Width of the length, the wrap (size of every dimension but the outermost) and the step (stride) of a descriptor. */
  readonly lengthBits: number;
  readonly wrapBits: number;
  readonly stepBits: number;
}

export interface AieMachine {
  /** The target's name: `phoenix`. */
  readonly name: string;
  /** What `aie.device` calls it: `npu1`, or `npu1_<n>col` for a part of its columns. */
  readonly device: string;
  readonly columns: number;
  /** Rows of all kinds; row 0 is the shim, row 1 the memory tiles, the rest compute tiles. */
  readonly rows: number;
  readonly tiles: Readonly<Record<TileKind, TileLimits>>;
  readonly programBytes: number;
  /** Stack of a core that sets none. */
  readonly stackBytes: number;
  /** Tasks that a shim channel holds besides the one it runs; repeats of a task; size of its iteration dimension. */
  readonly shimQueue: number;
  readonly repeatMax: number;
  readonly iterationMax: number;
  /** Multiply-adds per cycle and core, by `<left>x<right>` element types. */
  readonly macs: Readonly<Record<string, number>>;
  /** Shapes m x k x n that map onto the matrix unit, by `<left>x<right>` element types. */
  readonly matmul: Readonly<Record<string, readonly [m: number, k: number, n: number]>>;
  readonly clockHz: number;
  readonly streamBytesPerCycle: number;
  /** Bytes per second of one shim channel, and of all together. */
  readonly shimChannelRate: number;
  readonly ddrRate: number;
  /** What a new run of addresses costs main memory, in bytes of its rate: short rows make it slow. */
  readonly burstOverheadBytes: number;
  /** Cycles besides the products that one pass over a block of an accumulator costs, by element type of the operands. */
  readonly blockOverheadCycles: { readonly i8: number; readonly bf16: number };
  /** Seconds for starting a run, and for loading another configuration. */
  readonly dispatchSeconds: number;
  readonly reconfigurationSeconds: number;
}

/** A tile's figures in a machine description. */
type TileFigures = Readonly<Record<string, Figure>>;

/** The part `aie` of a machine description (machine.schema.json): every figure with its source. */
interface AieFigures {
  readonly device: string;
  readonly grid: TileFigures;
  readonly compute: TileFigures;
  readonly memory: TileFigures;
  readonly shim: TileFigures;
  readonly lockMaximum: Figure;
  readonly macs: TileFigures;
  readonly matrix: Readonly<Record<string, readonly [number, number, number]>>;
  readonly clock: Figure;
  readonly streamBytes: Figure;
  readonly ddr: TileFigures;
  readonly blockOverhead: TileFigures;
  readonly dispatch: Figure;
  readonly reconfiguration: Figure;
}

/** Element types of products by their short names in a description. */
const products = { i8: "i8xi8", i4: "i8xi4", i16: "i16xi16", bf16: "bf16xbf16" } as const;

const byProduct = <T>(of: (key: keyof typeof products) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(products).map(([key, product]) => [product, of(key as keyof typeof products)]));

/** @throws HeddleError for a description that breaks the schema. */
function machineOf(name: string): AieMachine {
  // The schema has checked every field that is read here.
  const aie = loadTarget(name).aie as AieFigures;
  const { grid, shim, ddr } = aie;
  const tile = (figures: TileFigures, halves = 1): TileLimits => {
    const n = (key: string): number => figures[key]?.value ?? 0;
    return {
      memoryBytes: n("memory"),
      banks: n("banks"),
      s2mm: n("s2mm"),
      mm2s: n("mm2s"),
      bds: n("descriptors"),
      bdsPerParity: n("descriptors") / halves,
      locks: n("locks"),
      lockMax: aie.lockMaximum.value,
      bdDims: n("dimensions"),
      lengthBits: n("lengthBits"),
      wrapBits: n("wrapBits"),
      stepBits: n("stepBits"),
    };
  };
  return {
    name,
    device: aie.device,
    columns: grid.columns!.value,
    rows: grid.firstComputeRow!.value + grid.computeRows!.value,
    tiles: { compute: tile(aie.compute), memory: tile(aie.memory, 2), shim: tile(shim) },
    programBytes: aie.compute.program!.value,
    stackBytes: aie.compute.stack!.value,
    shimQueue: shim.queue!.value,
    repeatMax: shim.repeat!.value,
    iterationMax: shim.iteration!.value,
    macs: byProduct((key) => aie.macs[key]!.value),
    matmul: byProduct((key) => aie.matrix[key]!),
    clockHz: aie.clock.value,
    streamBytesPerCycle: aie.streamBytes.value,
    shimChannelRate: ddr.shimRate!.value,
    ddrRate: ddr.rate!.value,
    burstOverheadBytes: ddr.burstOverhead!.value,
    blockOverheadCycles: { i8: aie.blockOverhead.i8!.value, bf16: aie.blockOverhead.bf16!.value },
    dispatchSeconds: aie.dispatch.value,
    reconfigurationSeconds: aie.reconfiguration.value,
  };
}

const machines = (): AieMachine[] => {
  known ??= targetNames()
    .filter((name) => loadTarget(name).aie)
    .map(machineOf);
  return known;
};
let known: AieMachine[] | undefined;

/** The machine that `aie.device(<device>)` names, or undefined: `npu1`, `npu1_2col`. */
export function aieMachine(device: string): AieMachine | undefined {
  const [base, part] = device.split("_");
  const machine = machines().find((m) => m.device === base || m.name === base);
  if (!machine || part === undefined) return machine;
  const columns = Number(/^(\d+)col$/.exec(part)?.[1] ?? 0);
  // All columns together have no name of their own any more: npu1_4col is gone.
  return columns >= 1 && columns < machine.columns ? { ...machine, device, columns } : undefined;
}

export const tileKind = (row: number): TileKind => (row === 0 ? "shim" : row === 1 ? "memory" : "compute");
