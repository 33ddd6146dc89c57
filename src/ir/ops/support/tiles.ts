/**
 * Tiled attention with an online softmax (Milakov and Gimelshein, 2018; Dao et al., 2022; Dao, 2023): a block of queries
 * meets one block of keys after another and keeps, per row, the maximum m and the sum l of what it has seen, and the
 * result acc that they scale. A later maximum rescales both by e^(m - m').
 */
import type { Node } from "../../node.ts";
import { add } from "../add.ts";
import { concat } from "../concat.ts";
import { div } from "../div.ts";
import { exp } from "../exp.ts";
import { matmul } from "../matmul.ts";
import { maximum } from "../maximum.ts";
import { mul } from "../mul.ts";
import { reduceMax } from "../reduce-max.ts";
import { reduceSum } from "../reduce-sum.ts";
import { sub } from "../sub.ts";

/** `size` positions from `start` on; the last block of an axis may be shorter. */
export interface Block {
  readonly start: number;
  readonly size: number;
}

export const blocks = (length: number, size: number): Block[] =>
  Array.from({ length: Math.ceil(length / size) }, (_, i) => ({
    start: i * size,
    size: Math.min(size, length - i * size),
  }));

/** @throws Error for a block size that is no size. */
export function needBlocks(attrs: { blockQ: number; blockK: number }): void {
  for (const [name, size] of Object.entries({ blockQ: attrs.blockQ, blockK: attrs.blockK }))
    if (size < 1) throw new Error(`${name} must be positive, not ${size}`);
}

export interface Tiles {
  readonly queries: readonly Block[];
  /** The blocks of keys that a block of queries may see; at least one. */
  keys(query: Block): readonly Block[];
  /** Scaled and masked scores of a pair of blocks. */
  scores(query: Block, key: Block): Node;
  /** The values of a block of keys. */
  values(key: Block): Node;
}

export function tiledAttention(tiles: Tiles): Node {
  const results = tiles.queries.map((query) => {
    let state: { m: Node; l: Node; acc: Node } | undefined;
    for (const key of tiles.keys(query)) {
      const scores = tiles.scores(query, key);
      const peak = reduceMax(scores, { axis: -1 });
      const m: Node = state ? maximum(state.m, peak) : peak;
      const p = exp(sub(scores, m));
      const l = reduceSum(p, { axis: -1 });
      const acc = matmul(p, tiles.values(key));
      if (!state) state = { m, l, acc };
      else {
        const rescale = exp(sub(state.m, m));
        state = { m, l: add(mul(state.l, rescale), l), acc: add(mul(state.acc, rescale), acc) };
      }
    }
    return div(state!.acc, state!.l);
  });
  return results.length === 1 ? results[0]! : concat(results, { axis: results[0]!.type.shape.length - 2 });
}
