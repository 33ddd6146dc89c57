/**
 * Attention over all heads in one dispatch, with an online softmax (Dao et al., 2022): scores never leave a core. Two mappings.
 * `shared`, for many queries: a column has a head (or a group that shares keys), its cores a tile of queries each, and keys and
 * values are broadcast to them. `own`, for up to a block of rows of queries per head as in decoding: every core has heads of its own.
 *
 * Keys lie as in a cache, [G, D, C], values as [G, C, D]; queries that share keys are rows (token, head of the group).
 */
import { HeddleError } from "../../../ir/error.ts";
import { isRing } from "../../../ir/ops/support/ring.ts";
import type { AieMachine } from "../../../targets/aie-machine.ts";
import { type Cost, costOf, type Traffic } from "../cost.ts";
import type { Band } from "./band.ts";

export interface AttentionShape {
  readonly heads: number;
  readonly groups: number;
  readonly queries: number;
  /** Keys, or places of a cache. */
  readonly keys: number;
  readonly dim: number;
  readonly scale: number;
  /** 0 is none. */
  readonly window: number;
  /** Whether the position of the first query comes with the run; otherwise the last query sees the last key. */
  readonly cached: boolean;
}

/** What attention of one size of head may differ in on the same cores: the run says which of them it is, behind the position. */
export type AttentionKind = Pick<AttentionTiles, "keys" | "window" | "ring" | "padded">;

export interface AttentionTiles extends AttentionShape {
  /** Kinds of attention that share the cores, and which of them this is. */
  readonly kinds: readonly AttentionKind[];
  readonly kind: number;
  /** Where attention has rows of the array beside those of products. */
  readonly band: Band | undefined;
  readonly mapping: "shared" | "own";
  /** Whether the cache is written round and round: position p lies at place p mod keys. */
  readonly ring: boolean;
  /** Heads of a group: rows of queries per token. */
  readonly share: number;
  /** Rows of queries in a block of the matrix unit: 4 keys by as many queries are a block of scores. */
  readonly block: number;
  /** Columns by heads and by blocks of queries, and cores that work together: rows of the array that are used, or cores of a band. */
  readonly columns: { readonly heads: number; readonly queries: number };
  readonly rows: number;
  /** Query rows of a core, keys of a tile, and columns of K and Q^T that a memory tile holds. */
  readonly tile: { readonly q: number; readonly s: number };
  readonly panel: number;
  /** Blocks of query rows that a column works on at a time, over all heads of a group, and rounds of heads per column. */
  readonly blocks: number;
  readonly rounds: number;
  /** Rows of queries and places of keys with padding. */
  readonly padded: { readonly queries: number; readonly keys: number };
  readonly memory: { readonly core: number; readonly tile: number };
  readonly cost: Cost;
}

/**
 * The fastest tiles by the cost model that fit.
 * @throws HeddleError for shapes that the mapping does not have.
 */
export function planAttention(machine: AieMachine, shape: AttentionShape, band?: Band): AttentionTiles {
  let best: AttentionTiles | undefined;
  for (const t of attentionChoices(machine, shape, band))
    if (t && (!best || t.cost.seconds < best.cost.seconds * 0.999)) best = t;
  if (best) return best;
  throw new HeddleError("no tile fits the memories of the array", { subject: subjectOf(shape) });
}

const subjectOf = ({ heads, groups, queries, keys, dim }: AttentionShape): string =>
  `attention of ${heads} heads (${groups} of keys), ${queries} x ${keys} x ${dim}`;

/**
 * All tiles, undefined where they do not fit: as many for every shape of the same heads, in the same order.
 * @throws HeddleError for shapes that the mapping does not have.
 */
export function* attentionChoices(machine: AieMachine, shape: AttentionShape, band?: Band) {
  const { heads, groups, dim } = shape;
  const share = heads / groups;
  const subject = subjectOf(shape);
  const [rowsOfBlock, depth, block] = machine.matmul.bf16xbf16!;
  if (rowsOfBlock !== 4 || depth !== 8)
    throw new HeddleError(
      `the kernel turns blocks of 4x8, and ${machine.device} has ${machine.matmul.bf16xbf16!.join("x")}`,
      { subject },
    );
  if (dim % 16)
    throw new HeddleError(`the head's size ${dim} is not a multiple of 16, the lanes of a vector`, { subject });
  if (share > 1 && block % share && share % block)
    throw new HeddleError(
      `${share} heads share their keys; a block of the matrix unit has ${block} rows, which 2, 4, 8 .. share`,
      {
        subject,
        hint: "repeat keys and values so that every head has its own",
      },
    );
  for (const s of [16, 32, 64])
    for (const width of [1, 2, 4])
      for (const q of [4, 8, 16, 32, 64])
        if (q % block === 0) yield tiles(machine, { ...shape, band }, share, block, { q, s }, s * width);
}

function tiles(
  machine: AieMachine,
  shape: AttentionShape & { readonly band: Band | undefined },
  share: number,
  block: number,
  tile: { readonly q: number; readonly s: number },
  panel: number,
): AttentionTiles | undefined {
  const { groups, queries, dim, keys, cached, band } = shape;
  const arrayColumns = band ? 1 : machine.columns;
  const { q, s } = tile;
  const own = queries * share <= block;
  // A memory tile sends keys and values to every core of its column, and has channels for two.
  const rows = own
    ? divisor(groups, band?.heads ?? Math.floor((machine.tiles.memory.mm2s - 1) / 2), arrayColumns)
    : band
      ? band.rows * machine.columns
      : machine.rows - 2;
  const rowsOfQueries = own ? panel : rows * q;
  // A panel carries the queries of all cores of a column; an own core uses the first block of columns of its panel.
  if (own ? q !== block : rowsOfQueries !== panel) return undefined;
  // Heads that share keys stay together in a core, and tokens in a panel.
  if (panel % share || (!own && q % share)) return undefined;
  const blocks = own ? 1 : Math.ceil((queries * share) / rowsOfQueries);
  const columnsOfHeads = own ? divisor(groups / rows, arrayColumns) : divisor(groups, arrayColumns);
  const columnsOfQueries = own ? 1 : divisor(blocks, Math.floor(arrayColumns / columnsOfHeads));
  const padded = { queries: blocks * rowsOfQueries, keys: Math.ceil(keys / panel) * panel };
  // A cache comes as it is.
  if (cached && padded.keys !== keys) return undefined;

  const object = dim * s * 2;
  const out = q * dim * 2;
  const state = q * dim * 4 + q * dim * 2 + q * s * 6 + (q / 4) * 16 * (2 + 4 + 4) + 64;
  const core = 4 * object + out + state + machine.stackBytes;
  if (core > machine.tiles.compute.memoryBytes) return undefined;
  const parts = own ? rows : 1;
  const onTile = 2 * parts * (dim * panel * 2 + object) + 2 * rows * out;
  if (onTile > (band?.memoryBytes ?? machine.tiles.memory.memoryBytes)) return undefined;

  const rounds = groups / (columnsOfHeads * (own ? rows : 1));
  const { window } = shape;
  const ring = cached && isRing(keys, window, queries);
  const t = {
    ...shape, kinds: [{ keys, window, ring, padded }], kind: 0, mapping: own ? ("own" as const) : ("shared" as const), ring, share, block, columns: { heads: columnsOfHeads, queries: columnsOfQueries },
    rows, tile, panel, blocks, rounds, padded, memory: { core, tile: onTile },
  }; // biome-ignore format: all of them
  return { ...t, cost: cost(machine, t) };
}

/** Panels of keys that block `block` of queries reads: none that lies behind its last query or before its window. */
export function panelsOf(
  t: Pick<AttentionTiles, "cached" | "padded" | "panel" | "keys" | "queries" | "share" | "window" | "mapping">,
  block: number,
): { readonly first: number; readonly count: number } {
  const all = t.padded.keys / t.panel;
  if (t.cached) return { first: 0, count: all };
  const offset = t.keys - t.queries;
  const perBlock = t.panel / t.share;
  const last = t.mapping === "own" ? t.keys - 1 : offset + (block + 1) * perBlock - 1;
  const end = Math.min(all, Math.floor(last / t.panel) + 1);
  const first = t.window ? Math.max(0, Math.floor((offset + block * perBlock - t.window + 1) / t.panel)) : 0;
  return { first, count: end - first };
}

function cost(machine: AieMachine, t: Omit<AttentionTiles, "cost">): Cost {
  const { dim, tile, panel, blocks, columns, rows } = t;
  const panels = Array.from({ length: blocks }, (_, i) => panelsOf(t, i).count);
  const total = panels.reduce((a, b) => a + b, 0);
  const own = t.mapping === "own";
  const tilesOfCore = (total / columns.queries) * (panel / tile.s) * t.rounds;
  const units = t.groups;
  const bytes = { panel: dim * panel * 2, block: (own ? t.block : panel) * dim * 2 };
  const traffic: Traffic[] = [
    { bytes: units * blocks * bytes.panel, run: bytes.panel },
    { bytes: units * total * bytes.panel, run: panel === t.padded.keys ? bytes.panel : panel * 2 },
    { bytes: units * total * bytes.panel, run: own ? tile.s * dim * 2 : 1 << 20 },
    { bytes: units * blocks * bytes.block, run: bytes.block },
  ];
  const usedColumns = columns.heads * columns.queries;
  return costOf(machine, {
    macs: 2 * t.heads * t.queries * t.keys * dim,
    cycles: tilesOfCore * tileCycles(t) + (blocks / columns.queries) * t.rounds * turnCycles(t),
    streamBytes: tilesOfCore * tile.s * dim * 2,
    traffic,
    channelBytes: (traffic[0]!.bytes + traffic[1]!.bytes) / usedColumns,
    // Queries, then the first keys: a panel of each, for every core of a column that has its own.
    fillBytes: (own ? rows : 1) * 2 * bytes.panel + dim * tile.s * 2,
    drain: { streamBytes: (1 + rows) * tile.q * dim * 2, memoryBytes: usedColumns * rows * tile.q * dim * 2 },
  });
}

/** Cycles in which the pipeline of an innermost loop fills and drains, and that one around it takes. */
const pipeline = 12;
const outer = 4;

/** Blocks of queries whose products share an operand: as many as there are accumulators for. */
export const together = (t: Pick<AttentionTiles, "tile" | "block">): number => Math.min(4, t.tile.q / t.block);

/**
 * Cycles for one tile of keys, as the operations of `attention-core.ts` are counted: both products, whose left operand is turned, and
 * for 16 scores scale, mask and maximum, then exp, whose tables are looked up lane by lane.
 */
function tileCycles(t: Omit<AttentionTiles, "cost">): number {
  const { q, s } = t.tile;
  const at = together(t);
  const groups = q / t.block / at;
  const score = (s / 4) * (outer + groups * ((t.dim / 8) * (at + 1) + pipeline));
  const accumulate = (t.dim / 4) * (outer + groups * ((s / 8) * (at + 1) + Math.max(pipeline, 3 * at)));
  const masks = t.ring ? (t.queries > 1 ? 3 : 2) : 1;
  const scores = 6 + masks * (t.window ? 7 : 3) + 17.5;
  return score + accumulate + (q / 4) * (72 + (s / 4) * scores) + 60;
}

/** Cycles for a block of queries: to keep them, to begin sums, and to divide and turn them at the end. */
const turnCycles = ({ tile: { q }, dim }: Omit<AttentionTiles, "cost">): number =>
  (q / 4) * ((dim / 8) * 11 + 60) + (q * dim) / 8;

/** The largest divisor of `n` up to a limit; of several the one whose quotient has a large divisor up to `other`. */
function divisor(n: number, limit: number, other = 1): number {
  let best = 1;
  let worth = 0;
  for (let d = 1; d <= Math.min(n, limit); d++) {
    if (n % d) continue;
    let w = d;
    for (let e = 1; e <= other; e++) if ((n / d) % e === 0) w = Math.max(w, d * e);
    if (w >= worth) [best, worth] = [d, w];
  }
  return best;
}
