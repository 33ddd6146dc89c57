import { topoFrom } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import { cast, gatedMlp, gather, linear, linearAdd, mlp, param } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import type { Module } from "../ir/program.ts";
import { rule, type Skip } from "../ir/rewrite.ts";
import { rules } from "./pass.ts";
import { prove } from "./prove.ts";
import { unquantized } from "./quantize.ts";
import { isStatic } from "./support/static.ts";

/** A matrix that comes from the checkpoint: tables that are computed, such as those of rope, are small and turn far positions. */
const isF32Weight = (w: Node): boolean =>
  isStatic(w) &&
  w.type.dtype === "f32" &&
  w.type.shape.length === 2 &&
  topoFrom([w]).some((n) => n.op.name === param.name);
const half = (w: Node): Node => (isF32Weight(w) ? cast(w, { dtype: "f16" }) : w);

/** Applies `rebuild` where one of the weights is still in f32; the node itself where there is nothing to do. */
const where = (weights: readonly Node[], n: Node, rebuild: () => Node): Node | Skip =>
  weights.some(isF32Weight) ? rebuild() : n;

/**
 * Matrices are stored in f16 and multiplied with f32 activations. Biases and norms stay in f32: they are small.
 * A rounded weight differs by at most 2^-11 of itself, so results differ by about that much; the proof allows for it.
 */
export const f16Weights = rules(
  "f16-weights",
  [
    rule("f16-linear", linear.pat(v("x"), v("w"), v("b")).as("n"), ({ x, w, b, n }) =>
      where([w], n, () => linear(x, half(w), b)),
    ),
    rule("f16-linear-without-bias", linear.pat(v("x"), v("w")).as("n"), ({ x, w, n }) =>
      where([w], n, () => linear(x, half(w))),
    ),
    rule("f16-linear-add", linearAdd.pat(v("x"), v("w"), v("b"), v("r")).as("n"), ({ x, w, b, r, n }) =>
      where([w], n, () => linearAdd(x, half(w), b, r)),
    ),
    rule("f16-mlp", mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2")).as("n"), ({ x, w1, b1, w2, b2, n }) =>
      where([w1, w2], n, () => mlp(x, half(w1), b1, half(w2), b2, n.attrs)),
    ),
    rule(
      "f16-mlp-add",
      mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2"), v("r")).as("n"),
      ({ x, w1, b1, w2, b2, r, n }) => where([w1, w2], n, () => mlp(x, half(w1), b1, half(w2), b2, r, n.attrs)),
    ),
    rule("f16-gated-mlp", gatedMlp.pat(v("x"), v("w1"), v("w2")).as("n"), ({ x, w1, w2, n }) =>
      where([w1, w2], n, () => gatedMlp(x, half(w1), half(w2), n.attrs)),
    ),
    rule("f16-table", gather.pat(v("table"), v("rows")).as("n"), ({ table, rows, n }) =>
      where([table], n, () => gather(half(table), rows, { ...n.attrs, dtype: "f32" })),
    ),
  ],
  {
    doc: "Weight matrices and embedding tables are stored in f16: half the bytes to read for each token.",
    tolerance: 5e-3,
    // A rounded weight moves values across the roundings of 8-bit activations, which are another pass's.
    prove: (before: Module, after: Module, options) =>
      prove(unquantized(before.graph), unquantized(after.graph), options),
  },
);
