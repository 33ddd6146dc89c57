/**
 * What a planner and a simulator must know of an AIE array: memories, DMA engines, locks, and the rates of a time model.
 * Sizes are in bytes, DMA addresses and steps in 32-bit words, rates per cycle of the array's clock unless they say otherwise.
 */

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
  /** Seconds for starting a run, and for loading another configuration. */
  readonly dispatchSeconds: number;
  readonly reconfigurationSeconds: number;
}

const all = { lockMax: 63 } as const;
const aie2: AieMachine["tiles"] = {
  compute: {
    ...all,
    memoryBytes: 65536,
    banks: 4,
    s2mm: 2,
    mm2s: 2,
    bds: 16,
    bdsPerParity: 16,
    locks: 16,
    bdDims: 3,
    lengthBits: 14,
    wrapBits: 8,
    stepBits: 13,
  },
  memory: {
    ...all,
    memoryBytes: 524288,
    banks: 8,
    s2mm: 6,
    mm2s: 6,
    bds: 48,
    bdsPerParity: 24,
    locks: 64,
    bdDims: 4,
    lengthBits: 17,
    wrapBits: 10,
    stepBits: 17,
  },
  shim: {
    ...all,
    memoryBytes: 0,
    banks: 0,
    s2mm: 2,
    mm2s: 2,
    bds: 16,
    bdsPerParity: 16,
    locks: 16,
    bdDims: 3,
    lengthBits: 32,
    wrapBits: 10,
    stepBits: 20,
  },
};
const common = {
  rows: 6,
  tiles: aie2,
  programBytes: 16384,
  stackBytes: 1024,
  shimQueue: 4,
  repeatMax: 255,
  iterationMax: 64,
  streamBytesPerCycle: 4,
  shimChannelRate: 7e9,
  dispatchSeconds: 170e-6,
  reconfigurationSeconds: 3.4e-3,
} as const;

const machines: readonly AieMachine[] = [
  {
    ...common,
    name: "phoenix",
    device: "npu1",
    columns: 4,
    macs: { i8xi8: 256, i8xi4: 512, i16xi16: 64, i16xi8: 128, bf16xbf16: 128 },
    matmul: { bf16xbf16: [4, 8, 4], i8xi8: [4, 8, 8], i8xi4: [4, 16, 8], i16xi16: [4, 4, 4] },
    clockHz: 1e9,
    ddrRate: 26e9,
  },
  {
    ...common,
    name: "strix",
    device: "npu2",
    columns: 8,
    macs: { i8xi8: 512, i8xi4: 1024, i16xi16: 128, i16xi8: 256, bf16xbf16: 256 },
    matmul: { bf16xbf16: [4, 8, 8], i8xi8: [8, 8, 8], i8xi4: [4, 16, 16], i16xi16: [4, 4, 8] },
    clockHz: 1.8e9,
    ddrRate: 60e9,
  },
];

/** The machine that `aie.device(<device>)` names, or undefined: `npu1`, `npu1_2col`. */
export function aieMachine(device: string): AieMachine | undefined {
  const [base, part] = device.split("_");
  const machine = machines.find((m) => m.device === base || m.name === base);
  if (!machine || part === undefined) return machine;
  const columns = Number(/^(\d+)col$/.exec(part)?.[1] ?? 0);
  // All columns together have no name of their own any more: npu1_4col is gone.
  return columns >= 1 && columns < machine.columns ? { ...machine, device, columns } : undefined;
}

export const tileKind = (row: number): TileKind => (row === 0 ? "shim" : row === 1 ? "memory" : "compute");
