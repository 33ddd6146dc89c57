import { isBlock } from "../ir/blocks.ts";
import type { Node } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { add, gatedMlp, layerNorm, linear, matmul, mlp, mul, normalize, reshape, rmsNorm } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { rule, type Skip, skip, type Uses } from "../ir/rewrite.ts";
import { rules } from "./pass.ts";
import { isStatic } from "./support/static.ts";

/** Ops whose first operand meets a weight of ours first. */
const readers = new Set<AnyOp>([linear, mlp, gatedMlp]);

interface Norm {
  readonly norm: Node<{ eps: number }>;
  readonly x: Node;
  readonly gamma: Node;
  /** Absent in an rmsNorm. */
  readonly beta?: Node;
}

/** Why scale and shift cannot move into `w`. */
function obstacle({ norm, gamma, beta }: Norm, w: Node, b: Node | undefined, uses: Uses): Skip | undefined {
  const others = uses.of(norm).filter((n) => !readers.has(n.op));
  if (others.length) return skip(`the norm is also read by ${others.map((n) => n.op.name).join(", ")}`);
  if (![gamma, w, ...(beta ? [beta] : [])].every(isStatic)) return skip("scale, shift or weight depend on an input");
  if (isBlock(w.type.dtype)) return skip("the weight is kept in blocks");
  if (w.type.dtype !== gamma.type.dtype || (b && b.type.dtype !== gamma.type.dtype))
    return skip("the weight is narrower than scale and shift: fold before f16-weights");
  if (uses.count(w) > 1) return skip("the weight is shared (a tied embedding?): folding would store a second copy");
  return undefined;
}

// (n * gamma + beta) w^T + b = n (w diag(gamma))^T + (w beta + b), with n the norm without scale and shift.
const plain = ({ norm, x }: Norm): Node => normalize(x, { eps: norm.attrs.eps });
const scaled = ({ gamma }: Norm, w: Node): Node => mul(w, gamma);
function shifted({ beta }: { readonly beta: Node }, w: Node, b?: Node): Node {
  const [out, inner] = w.type.shape;
  const shift = reshape(matmul(w, reshape(beta, { shape: [inner!, 1] })), { shape: [out!] });
  return b ? add(shift, b) : shift;
}

// (n * gamma) w^T = n (w diag(gamma))^T.
const bare = ({ norm, x }: Norm): Node => rmsNorm(x, { eps: norm.attrs.eps });
const rms = rmsNorm.pat(v("x"), v("gamma")).as("norm");

const norm = layerNorm.pat(v("x"), v("gamma"), v("beta")).as("norm");
const feedForward = [norm, v("w"), v("b"), v("w2"), v("b2")] as const;

/** Moves scale and shift of a norm into the weights of what reads it: one linear, several, or an mlp. */
export const foldNorm = rules(
  "fold-norm",
  [
    rule(
      "fold-norm",
      linear.pat(norm, v("w"), v("b")),
      (c, uses) => obstacle(c, c.w, c.b, uses) ?? linear(plain(c), scaled(c, c.w), shifted(c, c.w, c.b)),
    ),
    rule(
      "fold-norm-without-bias",
      linear.pat(norm, v("w")),
      (c, uses) => obstacle(c, c.w, undefined, uses) ?? linear(plain(c), scaled(c, c.w), shifted(c, c.w)),
    ),
    rule(
      "fold-norm-mlp",
      mlp.pat(...feedForward).as("mlp"),
      (c, uses) =>
        obstacle(c, c.w, c.b, uses) ?? mlp(plain(c), scaled(c, c.w), shifted(c, c.w, c.b), c.w2, c.b2, c.mlp.attrs),
    ),
    rule(
      "fold-norm-mlp-add",
      mlp.pat(...feedForward, v("residual")).as("mlp"),
      (c, uses) =>
        obstacle(c, c.w, c.b, uses) ??
        mlp(plain(c), scaled(c, c.w), shifted(c, c.w, c.b), c.w2, c.b2, c.residual, c.mlp.attrs),
    ),
    rule(
      "fold-rms-norm",
      linear.pat(rms, v("w"), v("b")),
      (c, uses) => obstacle(c, c.w, undefined, uses) ?? linear(bare(c), scaled(c, c.w), c.b),
    ),
    rule(
      "fold-rms-norm-without-bias",
      linear.pat(rms, v("w")),
      (c, uses) => obstacle(c, c.w, undefined, uses) ?? linear(bare(c), scaled(c, c.w)),
    ),
    rule(
      "fold-rms-norm-gated-mlp",
      gatedMlp.pat(rms, v("w"), v("w2")).as("mlp"),
      (c, uses) => obstacle(c, c.w, undefined, uses) ?? gatedMlp(bare(c), scaled(c, c.w), c.w2, c.mlp.attrs),
    ),
  ],
  {
    doc: "Scale and shift of a norm become part of the next linear's weight and bias, computed when weights are written.",
  },
);
