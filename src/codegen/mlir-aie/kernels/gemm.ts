/**
 * C = A B (+ bias) (+ GELU): A [M, K], B [K, N] packed ahead of time, C [M, N].
 *
 * Two mappings. `grid`: core (column c, row r) computes tile (r, c) of a block of the result; A is broadcast along rows of the
 * array, B along its columns (arXiv 2512.13282). A and C lie in main memory tile by tile, so that every transfer is one run of
 * addresses: the host places values while it converts them. `skinny`, for up to one block of rows as in decoding: every core has columns of
 * its own, A is broadcast to all, B is distributed.
 */
import { HeddleError } from "../../../ir/error.ts";
import type { AieMachine } from "../../../targets/aie-machine.ts";
import { type Cost, costOf, productCycles, productOf, type Traffic } from "../cost.ts";
import { bytesOf, type Element } from "../design.ts";

/** Operands of a product: bf16 or i8 on both sides, or i4 weights, two in a byte, with i8 rows. */
export type ProductType = "bf16" | "i8" | "i4";
/** Element type of the rows. */
export const rowsType = (t: ProductType): "bf16" | "i8" => (t === "i4" ? "i8" : t);

/**
 * Columns of the matrix unit's block whose bias one block of packed weights carries: two rows each, the bf16 and what it leaves
 * over; four with a norm, which wants the columns' sums as well.
 */
export const columnsPerBlock = (s: Pick<GemmShape, "norm">): number => (s.norm ? 2 : 4);

export interface GemmShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly type: ProductType;
  /**
   * Element type of the result: bf16 or f32 of a bf16 product; of one of integers f32, whose scales travel with the weights, i32, or
   * i8.
   */
  readonly out: Element;
  /** Bytes of an element of the rows of an integer product with scales: two are two rows of bytes, 256 h + l. Default 1. */
  readonly rowBytes?: 1 | 2 | undefined;
  /** For a result in i8: sums are divided by 2^shift, rounded to the nearest (ties up) and saturated. From 1 to 30. */
  readonly shift?: number | undefined;
  readonly bias: boolean;
  readonly activation?: "geluTanh" | undefined;
  /** A norm of the rows before the product, whose scale and shift are part of the weights. Only of a bf16 product. */
  readonly norm?: { readonly centred: boolean; readonly eps: number } | undefined;
  /**
   * What sums are held in between two steps of K: f32, or bf16 as in arXiv 2512.13282, which rounds them once a step, but leaves
   * room for larger tiles. Products of i8 have i32.
   */
  readonly sums?: "f32" | "bf16" | undefined;
}

/** Whether sums of integers become floats: scales, and what sums start with, travel with the weights. */
export const isScaled = (s: Pick<GemmShape, "type" | "out">): boolean => s.type !== "bf16" && s.out === "f32";

/** Numbers that every column of a product with scales has: what its sums start with, for either byte of the rows, and its scale. */
export const numbersPerColumn = ({ rowBytes = 1 }: Pick<GemmShape, "rowBytes">): number => rowBytes + 1;

/** Bytes of a block of packed weights. */
export const blockBytes = (type: ProductType, [, kb, nb]: readonly [number, number, number]): number =>
  (kb * nb * bytesOf[rowsType(type)]) / (type === "i4" ? 2 : 1);

/** Blocks in which the numbers of a block of columns travel. */
export const blocksOfNumbers = (s: GemmShape, block: readonly [number, number, number]): number =>
  Math.ceil((4 * numbersPerColumn(s) * block[2]) / blockBytes(s.type, block));

export interface GemmTiles extends GemmShape {
  readonly mapping: "grid" | "skinny";
  readonly accumulator: "f32" | "bf16" | "i32";
  /** The block of the matrix unit: m, k, n. */
  readonly block: readonly [number, number, number];
  /** What one core holds at a time. */
  readonly tile: { readonly m: number; readonly k: number; readonly n: number };
  /** Rows of the result in a tile: fewer than those of A where elements of A are two bytes. */
  readonly rows: number;
  /** Rows of the tile that leave a core at a time. */
  readonly strip: number;
  /** Steps of K, and tiles of C that a core computes one after the other. */
  readonly chunks: number;
  readonly tiles: number;
  /** How often memory tiles send a panel of A, and a column's B, that they hold: more than once instead of reading it again. */
  readonly sends: Sends;
  /** Blocks of the whole array along M and N. */
  readonly across: { readonly m: number; readonly n: number };
  /** Columns of A that the memory tile holds. */
  readonly panel: number;
  readonly padded: { readonly m: number; readonly n: number };
  /** Rows of 8 x nb blocks in one chunk of packed B, and its bytes. */
  readonly chunkBlocks: number;
  readonly memory: { readonly core: number; readonly tile: number };
  readonly cost: Cost;
}

export interface Sends {
  readonly a: number;
  readonly b: number;
}

/** What a BD of the shim can walk in its two inner dimensions, in 32-bit words. */
const shimWrap = 1023;

/**
 * The fastest tiles by the cost model that fit all memories.
 * @throws HeddleError for a K that is not a multiple of the matrix unit's depth, or when nothing fits.
 */
export function planGemm(machine: AieMachine, shape: GemmShape): GemmTiles {
  const { m, k, n, type } = shape;
  const block = machine.matmul[productOf(type)]!;
  const subject = `gemm ${m}x${k}x${n} ${type}`;
  if (k % block[1])
    throw new HeddleError(`K = ${k} is not a multiple of ${block[1]}, the depth of the matrix unit`, {
      subject,
      hint: "pad the inner size of the weights with zeros in the model",
    });
  if (type !== "bf16" && (shape.bias || shape.norm))
    throw new HeddleError("a bias or a norm is part of bf16 products only", {
      subject,
      hint: "add it after the product",
    });
  const { out, shift = 0 } = shape;
  const isKnown =
    type === "bf16"
      ? out === "bf16" || out === "f32"
      : out === "f32" || out === "i32" || (out === "i8" && shift >= 1 && shift <= 30);
  if (!isKnown)
    throw new HeddleError(
      `a result in ${out}${shift ? ` with a shift of ${shift}` : ""} is not one of ${type} products`,
      {
        subject,
        hint: "bf16 or f32 of bf16; f32, i32, or i8 with a shift from 1 to 30, of integers",
      },
    );
  if (shape.rowBytes === 2 && !isScaled(shape))
    throw new HeddleError("rows of two bytes are those of products of integers with scales", { subject });
  const { rowBytes = 1 } = shape;
  const skinny = m <= block[0];
  // Two by two blocks at a time keep the matrix unit fed: one of each operand would be loaded per product otherwise.
  const need = Math.ceil(m / (machine.rows - 2));
  const least = rowBytes * block[0];
  const rows = skinny || need <= block[0] ? [least] : multiples(2 * block[0], 128, rowBytes * need);
  const columns = multiples(2 * block[2], 192, Math.ceil(n / machine.columns / (skinny ? machine.rows - 2 : 1)));
  const depths = multiples(block[1], 512, k).filter((d) => k % d === 0);
  let best: GemmTiles | undefined;
  for (const tm of rows)
    for (const tn of columns)
      for (const tk of depths) {
        const consider = (keep: Keep) => {
          const plan = tiles(machine, shape, block, skinny ? "skinny" : "grid", { m: tm, k: tk, n: tn }, keep);
          if (plan && (!best || better(plan, best))) best = plan;
          return plan?.cost;
        };
        const cost = consider(streamed);
        // What is kept spares main memory and the shim, and takes room: no help where cores set the pace or nothing fits.
        if (cost && !skinny && cost.compute < Math.max(cost.memory, cost.stream)) kept.forEach(consider);
      }
  if (!best) throw new HeddleError("no tile fits the memories of the array", { subject });
  return best;
}

/** Which operands memory tiles hold on to. */
type Keep = Readonly<Record<keyof Sends, boolean>>;
const streamed: Keep = { a: false, b: false };
const kept: readonly Keep[] = [
  { a: true, b: false },
  { a: false, b: true },
  { a: true, b: true },
];

/** Faster; at the same pace the one that moves less, then the one with fewer, larger steps. */
function better(a: GemmTiles, b: GemmTiles): boolean {
  const pace = (g: GemmTiles) => g.cost.seconds;
  if (Math.abs(pace(a) - pace(b)) > 1e-3 * pace(b)) return pace(a) < pace(b);
  return a.cost.bytes !== b.cost.bytes ? a.cost.bytes < b.cost.bytes : a.tile.k > b.tile.k;
}

/** Multiples of `step` up to a limit, and none above the first that covers `need`. */
function multiples(step: number, limit: number, need: number): number[] {
  const out: number[] = [];
  for (let v = step; v <= limit; v += step) {
    out.push(v);
    if (v >= need) break;
  }
  return out;
}

/** One choice of tiles with its cost, or undefined where it breaks a limit. */
export function tiles(
  machine: AieMachine,
  shape: GemmShape,
  block: readonly [number, number, number],
  mapping: "grid" | "skinny",
  tile: { readonly m: number; readonly k: number; readonly n: number },
  keep: Keep = streamed,
): GemmTiles | undefined {
  const { type, out, k } = shape;
  const accumulator = type === "bf16" ? (shape.sums ?? "f32") : "i32";
  const [, kb, nb] = block;
  const [arrayRows, arrayColumns] = [machine.rows - 2, machine.columns];
  const unit = bytesOf[rowsType(type)];
  const { rowBytes = 1 } = shape;
  const rows = tile.m / rowBytes;
  const scaled = isScaled(shape);
  const beside = scaled
    ? (tile.n / nb) * blocksOfNumbers(shape, block)
    : shape.bias || shape.norm
      ? Math.ceil(tile.n / nb / columnsPerBlock(shape))
      : 0;
  const chunkBlocks = (tile.k / kb) * (tile.n / nb) + beside;
  const [left, right] = [tile.m * tile.k * unit, chunkBlocks * blockBytes(type, block)];
  const strip = stripOf({ m: rows, n: tile.n }, block[0], bytesOf[out]);
  const sums = tile.m * tile.n * bytesOf[accumulator];
  const local = shape.norm
    ? 8 * block[0] * nb * (tile.m / block[0] + tile.n / nb)
    : scaled
      ? 64 * numbersPerColumn(shape) * (tile.n / nb)
      : 0;
  const core = local + 2 * left + 2 * right + sums + 2 * strip * tile.n * bytesOf[out] + machine.stackBytes;
  if (core > machine.tiles.compute.memoryBytes) return undefined;

  const grid = mapping === "grid";
  const rowsOfBlock = grid ? arrayRows * rows : rows;
  const columnsOfBlock = (grid ? arrayColumns : arrayColumns * arrayRows) * tile.n;
  const across = { m: Math.ceil(shape.m / rowsOfBlock), n: Math.ceil(shape.n / columnsOfBlock) };
  const padded = { m: across.m * rowsOfBlock, n: across.n * columnsOfBlock };
  const result = rows * tile.n * bytesOf[out];
  const chunks = k / tile.k;
  const sends = {
    a: keep.a ? sendsOf(machine, "a", across.n) : 1,
    b: keep.b ? sendsOf(machine, "b", across.m) : 1,
  };
  if ((keep.a && sends.a === 1) || (keep.b && sends.b === 1)) return undefined;
  const held = keep.b ? across.n * chunks * right : 2 * right * (grid ? 1 : arrayRows);
  const fixed = held + 2 * result * arrayRows;
  const room = machine.tiles.memory.memoryBytes - fixed;
  const panels = widths(k, tile, unit, room, machine);
  if (!panels.length || (keep.a && panels[0]! < k)) return undefined;
  // The result leaves in rows; a descriptor of the shim walks all tiles of a block of rows.
  if ((tile.n * bytesOf[out]) / 4 > shimWrap || rowsOfBlock > shimWrap) return undefined;
  if (!grid && across.n > machine.iterationMax) return undefined;

  const count = across.m * across.n;
  // A norm's sums are two products per block of rows.
  const step = productCycles(machine, type, tile) * (1 + (shape.norm ? (2 * nb) / tile.n : 0));
  const cycles = count * (chunks * step + epilogue(shape, { m: rows, n: tile.n }, block));
  const weights = across.n * chunks * right * (grid ? arrayColumns : arrayColumns * arrayRows);
  // A wide panel is a long run of addresses, a narrow one is there sooner. What is sent again is whole.
  const plan = (panel: number) => {
    const traffic: Traffic[] = [
      { bytes: padded.m * rowBytes * k * unit * (across.n / sends.a), run: (grid ? tile.m : 1) * panel * unit },
      { bytes: weights * (across.m / sends.b), run: 1 << 20 },
      { bytes: padded.m * padded.n * bytesOf[out], run: (grid ? rows : 1) * tile.n * bytesOf[out] },
    ];
    const cost = costOf(machine, {
      macs: shape.m * k * shape.n,
      cycles,
      streamBytes: count * chunks * Math.max(left, right),
      traffic,
      channelBytes: Math.max(traffic[0]!.bytes / (grid ? arrayRows : 1), traffic[1]!.bytes / arrayColumns),
      fillBytes: Math.max(tile.m * panel * unit, keep.b ? held : held / 2),
    });
    return { panel, cost };
  };
  const { panel, cost } = (keep.a ? panels.slice(0, 1) : panels)
    .map(plan)
    .reduce((a, b) => (b.cost.seconds < a.cost.seconds ? b : a));
  const memory = { core, tile: fixed + 2 * tile.m * panel * unit };
  return {
    ...shape, mapping, accumulator, block, tile, rows, strip, chunks, tiles: count, sends, across, panel, padded, chunkBlocks, memory, cost,
  }; // biome-ignore format: one line says that these are all of them
}

/**
 * How often a memory tile can send what it keeps: a divisor of `times`. Every time takes a descriptor of its own, of two buffers for
 * A and one for B. Channels are numbered in the order of FIFOs: B and the results, with two descriptors for each core that they
 * join, leave through even ones, A through odd ones, and half of what comes in, two for each FIFO, goes through either.
 */
function sendsOf(machine: AieMachine, operand: keyof Sends, times: number): number {
  const rows = machine.rows - 2;
  const left = machine.tiles.memory.bdsPerParity - 2 * Math.ceil((rows + 2) / 2);
  let sends = Math.min(times, operand === "a" ? Math.floor(left / 2) : left - 2 * rows);
  while (times % sends) sends--;
  return sends;
}

/** As many rows as fit a few kilobytes: results leave while the next ones are rounded, and take little room. */
function stripOf(tile: { readonly m: number; readonly n: number }, step: number, unit: number): number {
  let best = step;
  for (let rows = step; rows <= tile.m; rows += step)
    if (tile.m % rows === 0 && rows * tile.n * unit <= 3072) best = rows;
  return best;
}

/**
 * Cycles for bringing a finished tile into its result type, by block; i8 takes eight vector operations beside loads and stores, a
 * scaled float thirteen for 16 sums, eight more where rows are two bytes.
 */
function epilogue(s: GemmShape, t: { m: number; n: number }, block: readonly number[]): number {
  const sums = block[0]! * block[2]!;
  const scaling = isScaled(s) ? (sums / 16) * (s.rowBytes === 2 ? 24 : 14) : 0;
  return ((t.m * t.n) / sums) * (scaling || (s.activation ? 60 : s.out === "i8" ? 10 : 6) + (s.norm ? 50 : 0));
}

/** Panels of A in columns, the widest first: divisors of K, multiples of the tile's depth that memory and address limits allow. */
function widths(
  k: number,
  tile: { readonly m: number; readonly k: number },
  unit: number,
  room: number,
  machine: AieMachine,
): number[] {
  const { stepBits, wrapBits } = machine.tiles.memory;
  return Array.from({ length: k / tile.k }, (_, i) => k / (i + 1)).filter((panel) => {
    const bytes = panel * unit;
    const fits = 2 * tile.m * bytes <= room && bytes / 4 <= shimWrap;
    return panel % tile.k === 0 && fits && bytes < 1 << stepBits && panel / 8 < 1 << wrapBits;
  });
}
