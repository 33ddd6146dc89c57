/**
 * C = A B (+ bias) (+ GELU): A [M, K] rows, B [K, N] packed ahead of time, C [M, N] rows.
 *
 * Two mappings. `grid`: core (column c, row r) computes tile (r, c) of a block of the result; A is broadcast along rows of the
 * array, B along its columns (arXiv 2512.13282). `skinny`, for up to one block of rows as in decoding: every core has columns of
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
  /** Element type of the result: bf16 or f32 of a bf16 product, i32 of one of integers, whose scales the host applies. */
  readonly out: Element;
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

export interface GemmTiles extends GemmShape {
  readonly mapping: "grid" | "skinny";
  readonly accumulator: "f32" | "bf16" | "i32";
  /** The block of the matrix unit: m, k, n. */
  readonly block: readonly [number, number, number];
  /** What one core holds at a time. */
  readonly tile: { readonly m: number; readonly k: number; readonly n: number };
  /** Rows of the tile that leave a core at a time. */
  readonly strip: number;
  /** Steps of K, and tiles of C that a core computes one after the other. */
  readonly chunks: number;
  readonly tiles: number;
  /** Blocks of the whole array along M and N. */
  readonly across: { readonly m: number; readonly n: number };
  /** Columns of A that the memory tile holds: the length of a run of addresses. */
  readonly panel: number;
  readonly padded: { readonly m: number; readonly n: number };
  /** Rows of 8 x nb blocks in one chunk of packed B, and its bytes. */
  readonly chunkBlocks: number;
  readonly memory: { readonly core: number; readonly tile: number };
  readonly cost: Cost;
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
  if (shape.norm && block[0] * block[2] !== 16)
    throw new HeddleError(`a norm is worked on in blocks of 4x4, and ${machine.device} has ${block[0]}x${block[2]}`, {
      subject,
      hint: "normalise before the product",
    });
  const skinny = m <= block[0];
  // Two by two blocks at a time keep the matrix unit fed: one of each operand would be loaded per product otherwise.
  const need = Math.ceil(m / (machine.rows - 2));
  const rows = skinny || need <= block[0] ? [block[0]] : multiples(2 * block[0], 128, need);
  const columns = multiples(2 * block[2], 192, Math.ceil(n / machine.columns / (skinny ? machine.rows - 2 : 1)));
  const depths = multiples(block[1], 512, k).filter((d) => k % d === 0);
  let best: GemmTiles | undefined;
  for (const tm of rows)
    for (const tn of columns)
      for (const tk of depths) {
        const plan = tiles(machine, shape, block, skinny ? "skinny" : "grid", { m: tm, k: tk, n: tn });
        if (plan && (!best || better(plan, best))) best = plan;
      }
  if (!best) throw new HeddleError("no tile fits the memories of the array", { subject });
  return best;
}

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
): GemmTiles | undefined {
  const { type, out, k } = shape;
  const accumulator = type === "bf16" ? (shape.sums ?? "f32") : "i32";
  const [, kb, nb] = block;
  const [arrayRows, arrayColumns] = [machine.rows - 2, machine.columns];
  const unit = bytesOf[rowsType(type)];
  const chunkBlocks =
    (tile.k / kb) * (tile.n / nb) + (shape.bias || shape.norm ? Math.ceil(tile.n / nb / columnsPerBlock(shape)) : 0);
  const [left, right] = [tile.m * tile.k * unit, (chunkBlocks * kb * nb * unit) / (type === "i4" ? 2 : 1)];
  const strip = stripOf(tile, block[0], bytesOf[out]);
  const sums = tile.m * tile.n * bytesOf[accumulator];
  const norm = shape.norm ? 128 * (tile.m / block[0] + tile.n / nb) : 0;
  const core = norm + 2 * left + 2 * right + sums + 2 * strip * tile.n * bytesOf[out] + machine.stackBytes;
  if (core > machine.tiles.compute.memoryBytes) return undefined;

  const grid = mapping === "grid";
  const rowsOfBlock = grid ? arrayRows * tile.m : tile.m;
  const columnsOfBlock = (grid ? arrayColumns : arrayColumns * arrayRows) * tile.n;
  const across = { m: Math.ceil(shape.m / rowsOfBlock), n: Math.ceil(shape.n / columnsOfBlock) };
  const padded = { m: across.m * rowsOfBlock, n: across.n * columnsOfBlock };
  const result = tile.m * tile.n * bytesOf[out];
  const fixed = 2 * right * (grid ? 1 : arrayRows) + 2 * result * arrayRows;
  const room = machine.tiles.memory.memoryBytes - fixed;
  const panel = widest(k, tile, unit, room, machine);
  if (!panel) return undefined;
  // The result leaves in rows; a descriptor of the shim walks all tiles of a block of rows.
  if ((tile.n * bytesOf[out]) / 4 > shimWrap || rowsOfBlock > shimWrap) return undefined;
  if (!grid && across.n > machine.iterationMax) return undefined;

  const chunks = k / tile.k;
  const count = across.m * across.n;
  // A norm's sums are two products per block of rows.
  const step = productCycles(machine, type, tile) * (1 + (shape.norm ? (2 * nb) / tile.n : 0));
  const cycles = count * (chunks * step + epilogue(shape, tile, block));
  const traffic: Traffic[] = [
    { bytes: padded.m * k * unit * across.n, run: panel * unit },
    { bytes: across.m * across.n * chunks * right * (grid ? arrayColumns : arrayColumns * arrayRows), run: 1 << 20 },
    { bytes: padded.m * padded.n * bytesOf[out], run: tile.n * bytesOf[out] },
  ];
  const channel = Math.max(traffic[0]!.bytes / (grid ? arrayRows : 1), traffic[1]!.bytes / arrayColumns);
  const cost = costOf(machine, {
    macs: shape.m * k * shape.n,
    cycles,
    streamBytes: count * chunks * Math.max(left, right),
    traffic,
    channelBytes: channel,
  });
  const memory = { core, tile: fixed + 2 * tile.m * panel * unit };
  return {
    ...shape, mapping, accumulator, block, tile, strip, chunks, tiles: count, across, panel, padded, chunkBlocks, memory, cost,
  }; // biome-ignore format: one line says that these are all of them
}

/** As many rows as fit a few kilobytes: results leave while the next ones are rounded, and take little room. */
function stripOf(tile: { readonly m: number; readonly n: number }, step: number, unit: number): number {
  let best = step;
  for (let rows = step; rows <= tile.m; rows += step)
    if (tile.m % rows === 0 && rows * tile.n * unit <= 3072) best = rows;
  return best;
}

/** Cycles for bringing a finished tile into its result type: 16 lanes at a time. */
const epilogue = (s: GemmShape, t: { m: number; n: number }, block: readonly number[]): number =>
  ((t.m * t.n) / (block[0]! * block[2]!)) * ((s.activation ? 60 : 6) + (s.norm ? 50 : 0));

/** The widest panel of A, in columns: a divisor of K and a multiple of the tile's depth that memory and address limits allow. */
function widest(
  k: number,
  tile: { readonly m: number; readonly k: number },
  unit: number,
  room: number,
  machine: AieMachine,
): number {
  for (let parts = 1; parts <= k / tile.k; parts++) {
    const panel = k / parts;
    if (!Number.isInteger(panel) || panel % tile.k) continue;
    const words = (panel * unit) / 4;
    const fits = 2 * tile.m * panel * unit <= room && words <= shimWrap;
    if (fits && 4 * words < 1 << machine.tiles.memory.stepBits && panel / 8 < 1 << machine.tiles.memory.wrapBits)
      return panel;
  }
  return 0;
}
