/** Rewrites for Qualcomm's own libraries. Their ops take weights in the type of the activations. */
import {
  add,
  cast,
  constant,
  gather,
  gelu,
  geluTanh,
  layerNorm,
  linear,
  softmax,
  transpose,
} from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
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

/** Their softmax is over the last axis. */
const softmaxLast = rule("softmax-over-last-axis", softmax.pat(v("x")).as("s"), ({ x, s }) => {
  const rank = x.type.shape.length;
  const axis = resolveAxis(s.attrs.axis, x.type.shape);
  if (axis === rank - 1) return skip("is over the last axis");
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  return transpose(softmax(transpose(x, { perm })), { perm });
});

export const qtiRules: readonly Rule[] = [...plainRules, widenWeights, widenUnbiased, widenTable, softmaxLast];

/**
 * HTP looks Gelu up in a table at the cost of one pass, where the tanh form takes nine, which is more time than the products around
 * it. Its form is that of the error function: never more than 4.8e-4 from the other, which near 1 is the distance of two f16
 * numbers. For one row the arithmetic hides behind the reading of weights, and reading the table would not.
 */
const geluFromTable = rule("gelu-from-table", geluTanh.pat(v("x")), ({ x }) => {
  if (x.type.dtype !== "f16") return skip("only HTP has it, which computes in f16");
  return x.type.shape.at(-2) === 1 ? skip("one row") : gelu(x);
});

/** Forms that are measured to be the cheapest on HTP: docs/htp-legalisation.md has the figures. */
export const htpRules: readonly Rule[] = [geluFromTable];

const geluInFixedPoint = rule("gelu-in-fixed-point", geluTanh.pat(v("x")), ({ x }) => gelu(x));

/** HTP takes the shift of a norm in 32 bits whose scale must be that of the sum inside; as a sum of its own it has a range of its own. */
const shiftAfterNorm = rule("shift-after-norm", layerNorm.pat(v("x"), v("w"), v("b")).as("n"), ({ x, w, b, n }) => {
  if (b.op.name !== "param" && b.op.name !== "cast") return skip("shifts by zero");
  const { dtype, shape } = b.type;
  return add(layerNorm(x, w, constant({ dtype, shape, values: [0] }), n.attrs), b);
});

/** In fixed point Gelu is a table for any number of rows, and its parts would each need an encoding. */
export const fixedPointRules: readonly Rule[] = [geluInFixedPoint, shiftAfterNorm];
