import { attention, cachedAttention, flashAttention, flashCachedAttention } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { rule } from "../ir/rewrite.ts";
import type { Target } from "../targets/target.ts";
import { rules } from "./pass.ts";

/** Largest block, and the size of a cache block: a tile of keys is one block of the cache. */
const largest = 64;
const smallest = 8;

/**
 * Bytes that one step of tiled attention holds, in f32, for blocks of `b` queries and `b` keys of `dim` numbers:
 * the queries and their accumulator (2 b dim), two tiles of keys and two of values, of which one is being loaded while the other is
 * used (4 b dim), the scores (b b), and a running maximum and sum for each query (2 b).
 */
export const workingSet = (b: number, dim: number): number => 4 * (6 * b * dim + b * b + 2 * b);

/** The largest power of two up to 64 whose working set fits the target's fast memory; 8 where even that does not fit. */
export function blockSize(target: Target, dim: number): number {
  let b = largest;
  while (b > smallest && workingSet(b, dim) > target.fastMemory.value) b /= 2;
  return b;
}

const headDim = (q: { type: { shape: readonly unknown[] } }): number => q.type.shape.at(-1) as number;

/** attention -> flashAttention, and the same over a cache: tiles instead of a matrix of all scores (Dao, 2023). */
export const flashAttentionPass = rules(
  "flash-attention",
  (target) => [
    // Softmax over a row is computed from its tiles with a running maximum and sum: the same numbers, never all scores at once.
    rule("flash-attention", attention.pat(v("q"), v("k"), v("v")).as("a"), ({ q, k, v, a }) => {
      const block = blockSize(target, headDim(q));
      return flashAttention(q, k, v, { ...a.attrs, blockQ: block, blockK: block });
    }),
    rule(
      "flash-cached-attention",
      cachedAttention.pat(v("q"), v("k"), v("v"), v("position")).as("a"),
      ({ q, k, v, position, a }) => {
        const block = blockSize(target, headDim(q));
        return flashCachedAttention(q, k, v, position, { ...a.attrs, blockQ: block, blockK: block });
      },
    ),
  ],
  { doc: "Attention in tiles with an online softmax: memory grows with the sequence, not with its square." },
);
