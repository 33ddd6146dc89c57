import { attr, optional } from "../attr.ts";
import type { Node } from "../node.ts";
import { defineOp } from "../op.ts";
import { scalar } from "./constant.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";
import { attentionCost, causalMask, grouped, positions, rowAttentionType, ungrouped } from "./support/attention.ts";
import { needNumber } from "./support/check.ts";
import { type Block, blocks, needBlocks, tiledAttention } from "./support/tiles.ts";

export const flashAttention = defineOp({
  name: "flashAttention",
  doc: "attention in tiles of blockQ queries and blockK keys with an online softmax (Dao, 2023): the scores of a tile are all that is held at a time, and tiles that the mask hides are left out. Operands and result as attention.",
  inputs: ["q", "k", "v"],
  attrs: {
    scale: attr.float,
    causal: optional(attr.bool, true),
    window: optional(attr.int, 0),
    blockQ: optional(attr.int, 64),
    blockK: optional(attr.int, 64),
  },
  infer: (types, attrs) => {
    needBlocks(attrs);
    return rowAttentionType(types, attrs);
  },
  expand: (operands, { scale, causal, window, blockQ, blockK }, type) => {
    const { q, k, v } = grouped(operands.q, operands.k, operands.v);
    const rows = q.type.shape.length - 2;
    const queries = needNumber("the number of queries", q.type.shape[rows]!);
    const keys = needNumber("the number of keys", v.type.shape[rows]!);
    const factor = scalar(scale, type.dtype);
    const take = (x: Node, { start, size }: Block) => slice(x, { axis: rows, start, size });
    // Positions are those of the keys: query i stands at i + ahead.
    const ahead = keys - queries;
    const first = (b: Block) => b.start + ahead;
    const last = (b: Block) => b.start + ahead + b.size - 1;
    const end = (b: Block) => b.start + b.size - 1;
    const tiled = tiledAttention({
      queries: blocks(queries, blockQ),
      keys: (b) =>
        blocks(keys, blockK).filter((t) => !causal || (t.start <= last(b) && (!window || end(t) > first(b) - window))),
      values: (t) => take(v, t),
      scores: (b, t) => {
        const scores = mul(matmul(take(q, b), take(k, t), { transposeB: true }), factor);
        const later = causal && end(t) > first(b);
        const early = causal && window > 0 && t.start <= last(b) - window;
        if (!later && !early) return scores;
        const [query, key] = [positions(b.size, first(b), "rows"), positions(t.size, t.start, "columns")];
        return causalMask(scores, query, key, { later, window: early ? window : 0 });
      },
    });
    return ungrouped(tiled, type);
  },
  cost: (types) => attentionCost(types),
});
