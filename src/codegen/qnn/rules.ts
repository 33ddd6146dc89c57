/** Rewrites for Qualcomm's own libraries. Their ops take weights in the type of the activations. */
import { cast, gather, linear } from "../../ir/ops/index.ts";
import { widened } from "../../ir/ops/support/widen.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";
import { plainRules } from "../rules.ts";

/** Widening a weight that was rounded keeps its value. */
const widenWeights = rule("widen-weights", linear.pat(v("x"), v("w"), v("b")), ({ x, w, b }) =>
  w.type.dtype === x.type.dtype && b.type.dtype === x.type.dtype
    ? skip("same type")
    : linear(x, widened(w, x.type), widened(b, x.type)),
);
const widenUnbiased = rule("widen-unbiased-weights", linear.pat(v("x"), v("w")), ({ x, w }) =>
  w.type.dtype === x.type.dtype ? skip("same type") : linear(x, widened(w, x.type)),
);
const widenTable = rule("widen-table", gather.pat(v("data"), v("indices")).as("g"), ({ data, indices, g }) =>
  data.type.dtype === g.type.dtype
    ? skip("same type")
    : gather(cast(data, { dtype: g.type.dtype }), indices, { axis: g.attrs.axis }),
);

export const qtiRules: readonly Rule[] = [...plainRules, widenWeights, widenUnbiased, widenTable];
