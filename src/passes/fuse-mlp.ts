import type { Node } from "../ir/node.ts";
import { concat, gatedMlp, gelu, geluTanh, linear, mlp, mul, silu } from "../ir/ops/index.ts";
import { type Pat, v } from "../ir/pattern.ts";
import { type Rule, rule, skip } from "../ir/rewrite.ts";
import { sameDim, sameShape } from "../ir/type.ts";
import { rules } from "./pass.ts";
import { isStatic } from "./support/static.ts";

type Hidden = Readonly<Record<"x" | "w1" | "b1" | "hidden" | "active", Node>>;

const hidden = linear.pat(v("x"), v("w1"), v("b1")).as("hidden");

// mlp is by definition linear(act(linear(x, w1, b1)), w2, b2): nothing but the boundary between ops changes.
const fuse = (activation: string, active: Pat<Hidden>): Rule =>
  rule(`fuse-mlp-${activation}`, linear.pat(active, v("w2"), v("b2")), (m, uses) => {
    if (uses.count(m.hidden) > 1 || uses.count(m.active) > 1) return skip("the hidden layer has other users");
    if (!sameDim(m.x.type.shape.at(-1)!, m.w2.type.shape[0]!)) return skip("the result is not as wide as x");
    return mlp(m.x, m.w1, m.b1, m.w2, m.b2, { activation });
  });

type Gated = Readonly<Record<"x" | "wg" | "wu" | "w2" | "gate" | "up" | "active" | "gated", Node>>;

const gate = linear.pat(v("x"), v("wg")).as("gate");
const up = linear.pat(v("x"), v("wu")).as("up");

// x [wg; wu]^T is x wg^T and x wu^T side by side, which is what gatedMlp takes apart; a b = b a.
const fuseGated = (activation: string, active: Pat<unknown>): Rule[] =>
  [mul.pat(active, up).as("gated"), mul.pat(up, active).as("gated")].map((gated, i) =>
    rule(
      `fuse-gated-mlp-${activation}-${i ? "right" : "left"}`,
      linear.pat(gated, v("w2")) as Pat<unknown> as Pat<Gated>,
      ({ x, wg, wu, w2, ...inner }, uses) => {
        if ([inner.gate, inner.up, inner.active, inner.gated].some((n) => uses.count(n) > 1))
          return skip("the hidden layer has other users");
        if (![wg, wu, w2].every(isStatic)) return skip("a weight depends on an input");
        if (wg.type.dtype !== wu.type.dtype) return skip("the weights of the two products differ in type");
        if (!sameShape(wg.type.shape, wu.type.shape)) return skip("the two products differ in width");
        if (!sameDim(x.type.shape.at(-1)!, w2.type.shape[0]!)) return skip("the result is not as wide as x");
        return gatedMlp(x, concat([wg, wu], { axis: 0 }), w2, { activation });
      },
    ),
  );

/** linear, activation, linear -> mlp, and the same with a gate -> gatedMlp. The hidden layer, four times as wide as the rest, need not leave fast memory. */
export const fuseMlp = rules(
  "fuse-mlp",
  [
    fuse("geluTanh", geluTanh.pat(hidden).as("active")),
    fuse("gelu", gelu.pat(hidden).as("active")),
    fuse("silu", silu.pat(hidden).as("active")),
    ...fuseGated("geluTanh", geluTanh.pat(gate).as("active")),
    ...fuseGated("gelu", gelu.pat(gate).as("active")),
    ...fuseGated("silu", silu.pat(gate).as("active")),
  ],
  {
    doc: "Linears with an activation, and perhaps a gate, between them become one op, so that the hidden layer stays in fast memory.",
  },
);
