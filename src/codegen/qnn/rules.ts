/** Rewrites for Qualcomm's own libraries: IR ops in the form that the vendor's ops and compiler do best. */
import {
  attention,
  cachedAttention,
  cast,
  constant,
  flashAttention,
  flashCachedAttention,
  gather,
  layerNorm,
  linear,
  normalize,
} from "../../ir/ops/index.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";

/** normalize(x) = layerNorm(x, 1, 0). The vendor has the whole normalisation as one op. */
const normalizeAsLayerNorm = rule("normalize-as-layer-norm", normalize.pat(v("x")).as("n"), ({ x, n }) => {
  const { dtype } = n.type;
  const shape = [n.type.shape.at(-1)!];
  return layerNorm(x, constant({ dtype, shape, values: [1] }), constant({ dtype, shape, values: [0] }), n.attrs);
});

/** A flash attention is an attention. The vendor's compiler tiles a plain one itself; thousands of small nodes would hide it. */
const untile = rule("untile-attention", flashAttention.pat(v("q"), v("k"), v("v")).as("a"), ({ q, k, v, a }) => {
  const { scale, causal, window } = a.attrs;
  return attention(q, k, v, { scale, causal, window });
});
const untileCached = rule(
  "untile-cached-attention",
  flashCachedAttention.pat(v("q"), v("k"), v("v"), v("position")).as("a"),
  ({ q, k, v, position, a }) => cachedAttention(q, k, v, position, { scale: a.attrs.scale, window: a.attrs.window }),
);

/** The vendor's ops take weights in the type of their activations; rounding to f16 and back keeps the value. */
const widenWeights = rule("widen-weights", linear.pat(v("x"), v("w"), v("b")), ({ x, w, b }) =>
  w.type.dtype === x.type.dtype ? skip("same type") : linear(x, cast(w, { dtype: x.type.dtype }), b),
);
const widenUnbiased = rule("widen-unbiased-weights", linear.pat(v("x"), v("w")), ({ x, w }) =>
  w.type.dtype === x.type.dtype ? skip("same type") : linear(x, cast(w, { dtype: x.type.dtype })),
);
const widenTable = rule("widen-table", gather.pat(v("data"), v("indices")).as("g"), ({ data, indices, g }) =>
  data.type.dtype === g.type.dtype
    ? skip("same type")
    : gather(cast(data, { dtype: g.type.dtype }), indices, { axis: g.attrs.axis }),
);

export const qtiRules: readonly Rule[] = [
  normalizeAsLayerNorm,
  untile,
  untileCached,
  widenWeights,
  widenUnbiased,
  widenTable,
];
