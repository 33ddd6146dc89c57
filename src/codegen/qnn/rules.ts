/** Rewrites for Qualcomm's own libraries. Their ops take weights in the type of the activations. */
import {
  add,
  cast,
  constant,
  gather,
  gelu,
  geluTanh,
  layerNorm,
  less,
  linear,
  reshape,
  rmsNorm,
  select,
  softmax,
  transpose,
} from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import { widened } from "../../ir/ops/support/widen.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";
import { sameType, staticShape } from "../../ir/type.ts";
import { plainRules } from "../rules.ts";
import { normAsMatrix } from "./norm-rules.ts";

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

/** Of a single row there is one to pick, whichever index is given: an op less between two products. */
const pickOfOne = rule("pick-of-one", gather.pat(v("x"), v("i")).as("g"), ({ x, g }) =>
  sameType(x.type, g.type) && x.type.shape[resolveAxis(g.attrs.axis, x.type.shape)] === 1
    ? x
    : skip("there are more to pick from"),
);

/**
 * Only rows of padding count past the end of a table of positions, and one row is a token. By an index that is an input HTP fetches a row; by
 * one that it computes, it reads the whole table first.
 */
const lookupOfToken = rule(
  "lookup-of-token",
  gather.pat(v("table"), select.pat(less.pat(v("i"), v("end")), v("i"), v("end"))).as("g"),
  ({ table, i, g }) => (i.type.shape[0] === 1 ? gather(table, i, g.attrs) : skip("some rows may be padding")),
);

/** Up to so many values of a row lie in one tile of HTP in f16. */
const tileWidth = 32;

/**
 * RmsNorm in f16 comes out wrong for some stacks of matrices whose rows fit a tile, [2, 64, 32] among them; the same rows as one matrix
 * come out right. docs/htp-legalisation.md has the shapes that were tried.
 */
const normOfOneMatrix = rule("norm-of-one-matrix", rmsNorm.pat(v("x"), v("gamma")).as("n"), ({ x, gamma, n }) => {
  const shape = staticShape(x.type.shape);
  const width = shape.at(-1)!;
  if (shape.length < 3) return skip("is one matrix");
  if (width > tileWidth) return skip("rows of several tiles come out right");
  return normAsMatrix(x, gamma, n);
});

/** Forms that come out right on HTP in f16, and are measured to be the cheapest: docs/htp-legalisation.md has the figures. */
export const htpRules: readonly Rule[] = [geluFromTable, pickOfOne, lookupOfToken, normOfOneMatrix];

const geluInFixedPoint = rule("gelu-in-fixed-point", geluTanh.pat(v("x")), ({ x }) => gelu(x));

/** Rows of a tile of HTP in 16-bit fixed point: a row alone is padded to as many. */
const tileRows = 8;

/**
 * Of one row HTP makes tiles that are seven eighths padding, and works on all of it while no weights are read; as eight rows the
 * same numbers fill their tiles: GPT-2 124M takes 98 of 2,063 us less.
 */
const geluInWholeTiles = rule("gelu-in-whole-tiles", gelu.pat(v("x")).as("g"), ({ x, g }) => {
  const shape = staticShape(x.type.shape);
  const count = shape.reduce((n, d) => n * d, 1);
  if (count !== shape.at(-1)) return skip("has rows");
  if (count % tileRows !== 0) return skip(`does not make ${tileRows} rows`);
  return reshape(gelu(reshape(x, { shape: [tileRows, count / tileRows] })), { shape: g.type.shape });
});

/** HTP takes the shift of a norm in 32 bits whose scale must be that of the sum inside; as a sum of its own it has a range of its own. */
const shiftAfterNorm = rule("shift-after-norm", layerNorm.pat(v("x"), v("w"), v("b")).as("n"), ({ x, w, b, n }) => {
  if (b.op.name !== "param" && b.op.name !== "cast") return skip("shifts by zero");
  const { dtype, shape } = b.type;
  return add(layerNorm(x, w, constant({ dtype, shape, values: [0] }), n.attrs), b);
});

/** In fixed point Gelu is a table for any number of rows, and its parts would each need an encoding. */
export const fixedPointRules: readonly Rule[] = [
  geluInFixedPoint,
  geluInWholeTiles,
  shiftAfterNorm,
  pickOfOne,
  lookupOfToken,
];
