/** How operands and result of attention lie in the buffers of its runtime sequence. */
import type { AieBuffer } from "../kernel.ts";
import { sizeOfTiling, type Tiling } from "../tiling.ts";
import type { AttentionTiles } from "./attention.ts";

/** Rows of queries of one block, and of the part of it that comes back. */
export const outRows = (t: AttentionTiles): number => (t.mapping === "own" ? t.block : t.panel);

/** Operands q, k, v and for a cache the position. */
export function attentionBuffers(t: AttentionTiles): AieBuffer[] {
  const { heads, groups, share, queries, keys, dim, padded } = t;
  const tiled = (holds: AieBuffer["holds"], tiling: Tiling): AieBuffer => ({
    holds,
    dtype: "bf16",
    shape: [sizeOfTiling(tiling)],
    tiling,
  });
  // Rows of queries are (token, head of the group).
  const q = tiled(0, queryTiling(t));
  const k = t.cached
    ? ({ holds: 1, dtype: "bf16", shape: [groups, dim, keys] } as const)
    : tiled(1, { shape: [groups, keys, dim], split: [[groups], [padded.keys], [dim]], order: [0, 2, 1] });
  const v = { holds: 2, dtype: "bf16", shape: [groups, padded.keys, dim] } as const;
  const o = tiled("result", {
    shape: [heads, queries, dim],
    split: [[groups, share], [t.blocks, Math.ceil(outRows(t) / share)], [dim]],
    order: [0, 2, 3, 1, 4],
  });
  // The bits of an integer, not its value; and which kind of attention it is, where the cores have several.
  const position = {
    holds: 3,
    dtype: "bf16",
    shape: [t.tile.s * dim],
    ...(t.kinds.length > 1 && { behind: [t.kind] }),
  } as const;
  return [q, k, v, o, ...(t.cached ? [position] : [])];
}

/**
 * Queries as columns of panels, as keys lie: rows of queries are (token, head of the group). The memory tile cuts a panel into 8 x 4 for
 * both; where the matrix unit takes 8 x 8 queries, two of those blocks that follow each other are one of these: 4 columns hold half the
 * dimensions of 8 queries, each dimension in two rows, one for either half of the queries.
 */
function queryTiling({ heads, groups, share, queries, dim, blocks, panel, block }: AttentionTiles): Tiling {
  const shape = [heads, queries, dim];
  if (block === 4) return { shape, split: [[groups, share], [blocks, panel / share], [dim]], order: [0, 2, 4, 3, 1] };
  if (share >= block)
    return {
      shape,
      split: [[groups, share / 8, 2, 4], [blocks, panel / share], [2, dim / 2]],
      order: [0, 4, 7, 2, 5, 1, 6, 3],
    }; // biome-ignore format: axes
  return {
    shape,
    split: [[groups, share], [blocks, panel / 8, 2, 4 / share], [2, dim / 2]],
    order: [0, 2, 7, 4, 3, 6, 5, 1],
  }; // biome-ignore format: axes
}
