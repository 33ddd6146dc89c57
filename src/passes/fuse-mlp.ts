import type { Node } from "../ir/node.ts";
import { gelu, geluTanh, linear, mlp, silu } from "../ir/ops/index.ts";
import { type Pat, v } from "../ir/pattern.ts";
import { type Rule, rule, skip } from "../ir/rewrite.ts";
import { sameDim } from "../ir/type.ts";
import { rules } from "./pass.ts";

type Hidden = Readonly<Record<"x" | "w1" | "b1" | "hidden" | "active", Node>>;

const hidden = linear.pat(v("x"), v("w1"), v("b1")).as("hidden");

// mlp is by definition linear(act(linear(x, w1, b1)), w2, b2): nothing but the boundary between ops changes.
const fuse = (activation: string, active: Pat<Hidden>): Rule =>
  rule(`fuse-mlp-${activation}`, linear.pat(active, v("w2"), v("b2")), (m, uses) => {
    if (uses.count(m.hidden) > 1 || uses.count(m.active) > 1) return skip("the hidden layer has other users");
    if (!sameDim(m.x.type.shape.at(-1)!, m.w2.type.shape[0]!)) return skip("the result is not as wide as x");
    return mlp(m.x, m.w1, m.b1, m.w2, m.b2, { activation });
  });

/** linear, activation, linear -> mlp. The hidden layer, four times as wide as the rest, need not leave fast memory. */
export const fuseMlp = rules(
  "fuse-mlp",
  [
    fuse("geluTanh", geluTanh.pat(hidden).as("active")),
    fuse("gelu", gelu.pat(hidden).as("active")),
    fuse("silu", silu.pat(hidden).as("active")),
  ],
  { doc: "Two linears with an activation between them become one op, so that the hidden layer stays in fast memory." },
);
