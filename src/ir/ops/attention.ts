import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { scalar } from "./constant.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { softmax } from "./softmax.ts";
import {
  attentionCost,
  causalMask,
  causalOffset,
  grouped,
  positions,
  rowAttentionType,
  ungrouped,
} from "./support/attention.ts";

export const attention = defineOp({
  name: "attention",
  doc: "softmax(scale q k^T) v per head (Vaswani et al., 2017). q [H, T, D], k and v [G, S, D] -> [H, T, D]; H/G heads share a group (Ainslie et al., 2023). Causal: query i sees keys j <= i + (S - T), and with a window only j > i + (S - T) - window.",
  inputs: ["q", "k", "v"],
  attrs: { scale: attr.float, causal: optional(attr.bool, true), window: optional(attr.int, 0) },
  infer: (types, attrs) => rowAttentionType(types, attrs),
  expand: (operands, { scale, causal, window }, type) => {
    const { q, k, v } = grouped(operands.q, operands.k, operands.v);
    const [queries, keys] = [q.type.shape.at(-2)!, v.type.shape.at(-2)!];
    const scores = mul(matmul(q, k, { transposeB: true }), scalar(scale, type.dtype));
    const seen = causal
      ? causalMask(scores, positions(queries, causalOffset(queries, keys), "rows"), positions(keys, 0, "columns"), {
          later: true,
          window,
        })
      : scores;
    return ungrouped(matmul(softmax(seen), v), type);
  },
  cost: (types) => attentionCost(types),
});
