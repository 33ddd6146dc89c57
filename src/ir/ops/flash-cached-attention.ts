import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";
import {
  attentionCost,
  cachedAttentionType,
  cacheMask,
  grouped,
  inFloats,
  positions,
  ungrouped,
} from "./support/attention.ts";
import { needNumber } from "./support/check.ts";
import { blocks, needBlocks, tiledAttention } from "./support/tiles.ts";

export const flashCachedAttention = defineOp({
  name: "flashCachedAttention",
  doc: "cachedAttention in tiles of blockQ queries and blockK places with an online softmax (Dao, 2023); a kernel reads only the tiles that are filled. Operands and result as cachedAttention.",
  inputs: ["q", "k", "v", "position"],
  attrs: {
    scale: attr.float,
    window: optional(attr.int, 0),
    blockQ: optional(attr.int, 64),
    blockK: optional(attr.int, 64),
  },
  infer: (types, attrs) => {
    needBlocks(attrs);
    return cachedAttentionType(types, attrs);
  },
  // The position is known only at run time, so the expansion visits every tile and masks what is not filled.
  expand: (operands, { scale, window, blockQ, blockK }, type) => {
    const { q, k, v } = grouped(operands.q, inFloats(operands.k, type), inFloats(operands.v, type));
    const rows = q.type.shape.length - 2;
    const queries = needNumber("the number of queries", q.type.shape[rows]!);
    const places = needNumber("the places of the cache", v.type.shape[rows]!);
    const factor = scalar(scale, type.dtype);
    const tiled = tiledAttention({
      queries: blocks(queries, blockQ),
      keys: () => blocks(places, blockK),
      values: ({ start, size }) => slice(v, { axis: rows, start, size }),
      scores: (b, t) => {
        const query = slice(q, { axis: rows, start: b.start, size: b.size });
        const key = slice(k, { axis: rows + 1, start: t.start, size: t.size });
        const at = add(positions(b.size, b.start, "rows"), operands.position);
        return cacheMask(mul(matmul(query, key), factor), at, positions(t.size, t.start, "columns"), {
          tokens: queries,
          places,
          window,
        });
      },
    });
    return ungrouped(tiled, type);
  },
  cost: (types) => attentionCost(types),
});
