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
import { byteSize, bytesOf } from "../design.ts";
import { groupOf, productCycles, productOf } from "../product.ts";
import { gemmCost } from "./gemm-cost.ts";
import { besideA, ofResults, panelOf, sendsOf, shimWrap, stripOf, tooWide } from "./gemm-limits.ts";
import { mostChunks } from "./gemm-run.ts";
import { columnNumbers } from "./gemm-scale.ts";
import {
  blockBytes,
  blocksBeside,
  type GemmKind,
  type GemmShape,
  type GemmTiles,
  isScaled,
  kindOf,
  rowsType,
  type Sends,
} from "./gemm-shape.ts";

/**
 * The fastest tiles by the cost model that fit all memories.
 * @throws HeddleError for a K that is not a multiple of the matrix unit's depth, or when nothing fits.
 */
export function planGemm(machine: AieMachine, shape: GemmShape): GemmTiles {
  checkGemm(machine, shape);
  let best: GemmTiles | undefined;
  for (const { tile, place } of choices(machine, shape)) {
    const consider = (keep: Keep) => {
      const limit = best && timeOf(best) * 1.001 - machine.dispatchSeconds;
      const plan = tiles(machine, shape, tile, { ...place, keep, limit });
      if (plan && (!best || better(plan, best))) best = plan;
      return plan?.cost;
    };
    const cost = consider(streamed);
    const pace = best ? timeOf(best) - machine.dispatchSeconds : Number.POSITIVE_INFINITY;
    // What is kept spares main memory and the shim, and takes room: no help where cores set the pace or nothing fits.
    const isLimited = cost && cost.compute < Math.min(pace, Math.max(cost.memory, cost.stream));
    if (isLimited && isGrid(machine, shape)) kept.forEach(consider);
  }
  return best!;
}

const subjectOf = ({ m, k, n, type }: GemmShape): string => `gemm ${m}x${k}x${n} ${type}`;

/** Whether a product has more rows than a block of the matrix unit. */
export const isGrid = (machine: AieMachine, { m, type }: GemmShape): boolean => m > machine.matmul[productOf(type)]![0];

/** @throws HeddleError for a shape that the array does not compute, or where no tiles fit. */
export function checkGemm(machine: AieMachine, shape: GemmShape): void {
  const { k, type, out, shift = 0 } = shape;
  const block = machine.matmul[productOf(type)]!;
  const subject = subjectOf(shape);
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
  for (const { tile, place } of choices(machine, shape)) if (tiles(machine, shape, tile, place)) return;
  throw new HeddleError("no tile fits the memories of the array", { subject });
}

/** Tiles that may suit a product with cores to itself, from large to small: most of the small ones cannot be faster. */
function* choices(machine: AieMachine, shape: GemmShape) {
  const block = machine.matmul[productOf(shape.type)]!;
  const skinny = !isGrid(machine, shape);
  const { type, m, n, k, rowBytes = 1 } = shape;
  const need = Math.ceil(m / (machine.rows - 2));
  const heights = needsOne(block, skinny, need) ? [block[0]] : shares(need, 2 * block[0], 128 / rowBytes);
  // Blocks of bf16 are narrow: two by two.
  const step = type === "bf16" ? 2 * block[2] : block[2];
  const widths = shares(Math.ceil(n / machine.columns / (skinny ? machine.rows - 2 : 1)), step, 192);
  const depths = multiples(block[1], 512, k).filter((d) => k % d === 0);
  for (const height of heights)
    for (const width of widths)
      for (const depth of depths)
        for (const place of placesOf(shape, skinny))
          yield { tile: { m: rowBytes * height, n: width, k: depth }, place };
}

const needsOne = (block: readonly number[], skinny: boolean, need: number): boolean => skinny || need <= block[0]!;

/** Tiles that may suit products on the same cores, which have all but their sizes in common. */
export function* sharedChoices(machine: AieMachine, shapes: readonly GemmShape[]) {
  const [first] = shapes as [GemmShape];
  const block = machine.matmul[productOf(first.type)]!;
  const skinny = !isGrid(machine, first);
  const need = Math.max(...shapes.map((s) => Math.ceil(s.m / (machine.rows - 2))));
  const { rowBytes = 1 } = first;
  // Two by two blocks at a time keep the matrix unit fed: one of each operand would be loaded per product otherwise.
  const rows = needsOne(block, skinny, need) ? [rowBytes * block[0]] : multiples(2 * block[0], 128, rowBytes * need);
  const widest = Math.max(...shapes.map((s) => s.n));
  const columns = multiples(2 * block[2], 192, Math.ceil(widest / machine.columns / (skinny ? machine.rows - 2 : 1)));
  const deepest = Math.max(...shapes.map((s) => s.k));
  const depths = multiples(block[1], 512, deepest).filter((d) => shapes.every((s) => s.k % d === 0));
  // Parts end a tile in its last step of K, which is another one for each of them.
  const places = placesOf(first, skinny).filter((p) => !p.parts);
  for (const m of rows)
    for (const n of columns) for (const k of depths) for (const place of places) yield { tile: { m, k, n }, place };
}

/** Where results are made: where their sums lie, all at once or in parts, or beside them. */
interface Place {
  readonly inPlace: 0 | 1 | 2;
  /** Parts of the rows. */
  readonly parts?: number;
}
const beside: Place = { inPlace: 0 };
/** A core's program names each part, and upstream writes it as often as there are: 16 KB hold four, or two with rows of two bytes. */
const parts: readonly Place[] = [4, 2].map((count) => ({ inPlace: 1, parts: count }));
const wholes: readonly Place[] = [{ inPlace: 2 }, { inPlace: 1 }];

/** Sums have the size of the result, so that it may take their place; of rows of two bytes one of them. */
function placesOf({ type, out, sums, rowBytes }: GemmShape, skinny: boolean): readonly Place[] {
  if (bytesOf[out] !== bytesOf[type === "bf16" ? (sums ?? "f32") : "i32"]) return [beside];
  const inParts = skinny || type === "bf16" ? [] : parts;
  return rowBytes === 2 ? [...inParts.slice(-1), beside] : [...inParts, ...wholes, beside];
}

/** Which operands memory tiles hold on to; whether A has one buffer then, and results one stream, which leaves descriptors for A. */
interface Keep extends Readonly<Record<keyof Sends, boolean>> {
  readonly single?: boolean;
  readonly oneStream?: boolean;
}
const streamed: Keep = { a: false, b: false };
const kept: readonly Keep[] = [
  { a: false, b: true },
  ...[false, true].flatMap((b) =>
    [false, true].flatMap((single) => [false, true].map((oneStream) => ({ a: true, b, single, oneStream }))),
  ),
];

/** Rows from which a product's pace counts more than its ends, and what part of these counts then. */
const many = 512;
const ends = 1 / 3;

/**
 * Seconds that a planner minimises. Resources beside the slowest one get in its way now and then: a twentieth of what they take. Of
 * many rows the waits at both ends count a third: what is kept is waited for once, and the ends of one product are where those of its
 * neighbours are, while its pace is nobody else's.
 */
function timeOf({ m, cost }: GemmTiles): number {
  const { compute, memory, stream, fill, drain } = cost;
  const others = compute + memory + stream - Math.max(compute, memory, stream);
  return cost.seconds + others / 20 - (m >= many ? (1 - ends) * (fill + drain) : 0);
}

/** Faster; at the same pace the one that moves less, then the one with fewer, larger steps. */
function better(a: GemmTiles, b: GemmTiles): boolean {
  const [own, other] = [timeOf(a), timeOf(b)];
  if (Math.abs(own - other) > 1e-3 * other) return own < other;
  return a.cost.bytes !== b.cost.bytes ? a.cost.bytes < b.cost.bytes : a.tile.k > b.tile.k;
}

/** What `need` comes to in one, two, three and more parts, as multiples of `step` up to a limit, from the largest down. */
function shares(need: number, step: number, limit: number): number[] {
  const all = Array.from({ length: Math.ceil(need / step) }, (_, i) => Math.ceil(need / (i + 1) / step) * step);
  return [...new Set(all)].filter((v) => v <= limit);
}

/** Multiples of `step` up to a limit, and none above the first that covers `need`, from the largest down. */
function multiples(step: number, limit: number, need: number): number[] {
  const out: number[] = [];
  for (let v = step; v <= limit; v += step) {
    out.push(v);
    if (v >= need) break;
  }
  return out.reverse();
}

/** Products that share cores: their kinds, and what divides the K of all. */
export interface GemmFamily {
  readonly kinds: readonly GemmKind[];
  readonly depth: number;
}

/**
 * One choice of tiles with its cost, or undefined where it breaks a limit, or takes more than `limit` seconds for its products alone.
 * @param family of the products on the same cores; `kind` is this one's place in its kinds. Without one the product has them for itself.
 */
export function tiles(
  machine: AieMachine,
  shape: GemmShape,
  tile: { readonly m: number; readonly k: number; readonly n: number },
  {
    inPlace,
    parts: leaving = 1,
    keep = streamed,
    limit = Number.POSITIVE_INFINITY,
    family,
    kind = 0,
  }: Place & {
    readonly keep?: Keep;
    readonly limit?: number | undefined;
    readonly family?: GemmFamily;
    readonly kind?: number;
  },
): GemmTiles | undefined {
  const { type, out, k } = shape;
  const accumulator = type === "bf16" ? (shape.sums ?? "f32") : "i32";
  const block = machine.matmul[productOf(type)]!;
  const [, kb, nb] = block;
  const grid = isGrid(machine, shape);
  const isShared = family !== undefined;
  const { kinds, depth }: GemmFamily = family ?? { kinds: [kindOf(shape)], depth: k };
  const [arrayRows, arrayColumns] = [machine.rows - 2, machine.columns];
  const unit = bytesOf[rowsType(type)];
  const { rowBytes = 1 } = shape;
  const rows = tile.m / rowBytes;
  const scaled = isScaled(shape);
  const numbers = Math.max(...kinds.map((kind) => blocksBeside({ ...shape, ...kind }, block, tile.n)));
  const chunkBlocks = (tile.k / kb) * (tile.n / nb) + numbers + (isShared ? 1 : 0);
  const [left, right] = [tile.m * tile.k * unit, chunkBlocks * blockBytes(type, block)];
  const inParts = leaving > 1;
  if (inParts && rows % (leaving * 2 * block[0])) return undefined;
  const strip = inPlace ? rows / leaving : stripOf({ m: rows, n: tile.n }, block[0], bytesOf[out]);
  const sums = tile.m * tile.n * bytesOf[accumulator];
  const local = kinds.some(({ norm }) => norm)
    ? 8 * block[0] * nb * (tile.m / block[0] + tile.n / nb)
    : scaled
      ? columnNumbers({ tile, block, rowBytes }).reduce((bytes, { type }) => bytes + byteSize(type), 0)
      : 0;
  const results = inPlace ? inPlace * sums : sums + 2 * strip * tile.n * bytesOf[out];
  const room = machine.tiles.compute.memoryBytes - local - 2 * right - results - machine.stackBytes;
  // As few pieces as fit: each is a call.
  const pieces = (inParts ? [leaving * rowBytes] : [1, 2, 4, 8]).find(
    (p) => (inParts || p === 1 || tile.m % (p * 4 * block[0]) === 0) && (2 * left) / p <= room,
  );
  if (!pieces) return undefined;

  const group = groupOf(machine, type, { ...tile, m: tile.m / pieces });
  const rowsOfBlock = grid ? arrayRows * rows : rows;
  const columnsOfBlock = (grid ? arrayColumns : arrayColumns * arrayRows) * tile.n;
  const across = { m: Math.ceil(shape.m / rowsOfBlock), n: Math.ceil(shape.n / columnsOfBlock) };
  const padded = { m: across.m * rowsOfBlock, n: across.n * columnsOfBlock };
  const result = rows * tile.n * bytesOf[out];
  const chunks = k / tile.k;
  const products = productCycles(machine, type, { ...tile, m: tile.m / pieces }, group) * pieces * chunks;
  const streams = Math.max(chunks * Math.max(left, right), result) / machine.streamBytesPerCycle;
  if ((across.m * across.n * Math.max(products, streams)) / machine.clockHz > limit) return undefined;
  if (isShared && chunks > mostChunks) return undefined;
  // Results leave through both channels of the shim; through one where that leaves descriptors for what is sent again.
  const both = grid && arrayRows % machine.tiles.shim.s2mm === 0 ? machine.tiles.shim.s2mm : 1;
  const halves = keep.oneStream ? 1 : both;
  const depths = { a: keep.single ? 1 : 2, b: keep.b ? 1 : 2 };
  const sendsWith = (streams: number, buffers: number): Sends => ({
    a: keep.a ? sendsOf(machine, across.n, buffers, besideA(machine, streams, keep.b)) : 1,
    b: keep.b ? sendsOf(machine, across.m, 1, ofResults(machine, streams)) : 1,
  });
  const sends = sendsWith(halves, depths.a);
  if ((keep.a && sends.a === 1) || (keep.b && sends.b === 1)) return undefined;
  if (keep.oneStream && sends.a === sendsWith(both, depths.a).a) return undefined;
  const panel = keep.a ? k : grid ? tile.k : panelOf(machine, depth, tile, unit);
  const objects = {
    a: keep.a ? tile.m * k * unit : grid ? left / pieces : tile.m * panel * unit,
    b: keep.b ? across.n * chunks * right : right * (grid ? 1 : arrayRows),
  };
  const onTile = depths.a * objects.a + depths.b * objects.b + (2 * result * arrayRows) / leaving;
  const { memoryBytes } = machine.tiles.memory;
  if (onTile > memoryBytes) return undefined;
  if (keep.single && sends.a === sendsWith(halves, 2).a && onTile + objects.a <= memoryBytes) return undefined;
  if (tooWide(machine, grid ? tile.k : panel, unit) || (keep.a && chunks * pieces > 1023)) return undefined;
  // The result leaves in rows; a descriptor of the shim walks all tiles of a block of rows.
  if ((tile.n * bytesOf[out]) / 4 > shimWrap || rowsOfBlock > shimWrap) return undefined;
  if (!grid && across.n > machine.iterationMax) return undefined;

  const memory = { core: machine.tiles.compute.memoryBytes - room + (2 * left) / pieces, tile: onTile };
  const g: Omit<GemmTiles, "cost"> = {
    ...shape, kinds, kind, isShared, mapping: grid ? "grid" : "skinny", accumulator, block, tile, rows, pieces, group, inPlace, strip, halves,
    chunks, tiles: across.m * across.n, sends, across, panel, padded, chunkBlocks, bytes: { a: left / pieces, b: right }, objects, depths, memory,
  }; // biome-ignore format: one line says that these are all of them
  return { ...g, cost: gemmCost(machine, g) };
}
