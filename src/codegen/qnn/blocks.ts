/** Weights in blocks on the reference backend: its ops that read them where they lie, and what has no such op yet. */
import { hasBlocks } from "../../ir/blocks.ts";
import { HeddleError } from "../../ir/error.ts";
import { describe, type Node } from "../../ir/node.ts";
import { gatedMlp, mlp } from "../../ir/ops/index.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";
import { type BlockType, showType, staticShape } from "../../ir/type.ts";
import type { Builder } from "./builder.ts";
import type { QnnLowering } from "./lowering.ts";
import { type Param, u32 } from "./params.ts";

/** Parameter `format`: ggml's numbers of types, as src/runtime/reference/kernels/blocks/format.h has them. */
const formats: Readonly<Record<BlockType, number>> = { q4_0: 2, q5_0: 6, q8_0: 8, q4_k: 12, q5_k: 13, q6_k: 14 };

/** Lowers to `plain`, or, where the weight at `operand` is in blocks, to the block op of package `heddle`. */
export const orBlocks = (plain: QnnLowering, operand: number, type: string, more: (n: Node) => Param[] = () => []) => ({
  lower: (n: Node, b: Builder) => {
    const w = n.inputs[operand]!.type;
    if (!hasBlocks(w)) return plain.lower(n, b);
    if (w.shape.length !== 2)
      throw new HeddleError(`takes blocks of a matrix only, not of ${showType(w)}`, {
        subject: describe(n),
        loc: n.loc,
      });
    b.node(n, type, [u32("format", formats[w.dtype]), ...more(n)], "heddle");
  },
});

/** Rows of the table, of which the last panel may hold fewer than it has room for. */
export const tableRows = (n: Node): Param[] => [u32("rows", staticShape(n.inputs[0]!.type.shape)[0]!)];

/** A gated perceptron: both of its weights are in blocks, or neither is (see the rules below). */
export const gatedOrBlocks = (plain: QnnLowering, activationOf: (name: string) => number): QnnLowering => ({
  lower: (n, b) => {
    const [w1, w2] = [n.inputs[1]!.type, n.inputs[2]!.type];
    if (!hasBlocks(w1) || !hasBlocks(w2)) return plain.lower(n, b);
    const params = [
      u32("activation", activationOf(n.attrs.activation as string)),
      u32("format", formats[w1.dtype]),
      u32("down_format", formats[w2.dtype]),
      u32("hidden", staticShape(w2.shape)[1]!),
    ];
    b.node(n, "BlockGatedMlp", params, "heddle");
  },
});

/** Perceptrons that no op of the backend runs in blocks become their products, which it does. */
const expanded = (n: Node) => (n.op.composite ? n.op.expand(n) : skip("has no expansion"));
const [x, w1, b1, w2, b2, residual] = ["x", "w1", "b1", "w2", "b2", "residual"].map((name) => v(name));
const ofMlp = (name: string, pattern: Parameters<typeof rule>[1]): Rule =>
  rule(name, pattern, (captures) => {
    const { n } = captures as unknown as { n: Node };
    return n.inputs.some((i) => hasBlocks(i.type)) ? expanded(n) : skip("no weight is in blocks");
  });
export const blockRules: readonly Rule[] = [
  ofMlp("mlp-of-blocks", mlp.pat(x!, w1!, b1!, w2!, b2!).as("n")),
  ofMlp("mlp-of-blocks-with-residual", mlp.pat(x!, w1!, b1!, w2!, b2!, residual!).as("n")),
  rule("gated-mlp-half-of-blocks", gatedMlp.pat(v("x"), v("w1"), v("w2")).as("n"), ({ n, w1, w2 }) =>
    hasBlocks(w1.type) === hasBlocks(w2.type) ? skip("both weights are alike") : expanded(n),
  ),
];
