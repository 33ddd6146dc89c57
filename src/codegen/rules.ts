/** Rewrites for targets that have no fused ops of ours: IR ops in the form that ops and compilers of others do best. */
import {
  attention,
  cachedAttention,
  constant,
  flashAttention,
  flashCachedAttention,
  layerNorm,
  normalize,
  rmsNorm,
} from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { type Rule, rule } from "../ir/rewrite.ts";

/** normalize(x) = layerNorm(x, 1, 0): everybody has the whole normalisation as one op. */
const normalizeAsLayerNorm = rule("normalize-as-layer-norm", normalize.pat(v("x")).as("n"), ({ x, n }) => {
  const { dtype } = n.type;
  const shape = [n.type.shape.at(-1)!];
  const fill = (value: number) => constant({ dtype, shape, values: [value] });
  return layerNorm(x, fill(1), fill(0), n.attrs);
});

/** The same of rmsNorm: its scale is 1 where there is none. */
const scaledRmsNorm = rule("scaled-rms-norm", rmsNorm.pat(v("x")).as("n"), ({ x, n }) =>
  rmsNorm(x, constant({ dtype: n.type.dtype, shape: [n.type.shape.at(-1)!], values: [1] }), n.attrs),
);

/** A flash attention is an attention. Other compilers tile a plain one themselves; thousands of small nodes would hide it. */
const untile = rule("untile-attention", flashAttention.pat(v("q"), v("k"), v("v")).as("a"), ({ q, k, v, a }) => {
  const { scale, causal, window } = a.attrs;
  return attention(q, k, v, { scale, causal, window });
});
const untileCached = rule(
  "untile-cached-attention",
  flashCachedAttention.pat(v("q"), v("k"), v("v"), v("position")).as("a"),
  ({ q, k, v, position, a }) => cachedAttention(q, k, v, position, { scale: a.attrs.scale, window: a.attrs.window }),
);

export const plainRules: readonly Rule[] = [normalizeAsLayerNorm, scaledRmsNorm, untile, untileCached];
