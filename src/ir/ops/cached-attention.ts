import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { softmax } from "./softmax.ts";
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

export const cachedAttention = defineOp({
  name: "cachedAttention",
  doc: "Attention over a cache of which the first position + T places are filled. q [H, T, D], k [G, D, C] (transposed, so that a tile of keys is a block of columns), v [G, C, D], position i32[1] -> [H, T, D]. Query i stands at position + i and sees positions j <= position + i, and with a window only j > position + i - window. Position j lies at place j; with a window and C >= window + T - 1 at j mod C (a ring). k and v may be in fixed point under float q, each with one scale.",
  inputs: ["q", "k", "v", "position"],
  attrs: { scale: attr.float, window: optional(attr.int, 0) },
  infer: (types, attrs) => cachedAttentionType(types, attrs),
  expand: (operands, { scale, window }, type) => {
    const { q, k, v } = grouped(operands.q, inFloats(operands.k, type), inFloats(operands.v, type));
    const [queries, places] = [q.type.shape.at(-2)!, v.type.shape.at(-2)!];
    const scores = mul(matmul(q, k), scalar(scale, type.dtype));
    const query = add(positions(queries, 0, "rows"), operands.position);
    const seen = cacheMask(scores, query, positions(places, 0, "columns"), {
      tokens: needNumber("the number of queries", queries),
      places: needNumber("the places of the cache", places),
      window,
    });
    return ungrouped(matmul(softmax(seen), v), type);
  },
  cost: (types) => attentionCost(types),
});
