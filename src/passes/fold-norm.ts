import type { Node } from "../ir/node.ts";
import { add, layerNorm, linear, matmul, mul, normalize, reshape } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { rule, type Skip, skip, type Uses } from "../ir/rewrite.ts";
import { rules } from "./pass.ts";
import { isStatic } from "./support/static.ts";

interface Folded {
  readonly norm: Node<{ eps: number }>;
  readonly x: Node;
  readonly gamma: Node;
  readonly beta: Node;
  readonly w: Node;
  readonly b?: Node;
}

// linear(n * gamma + beta, w, b) = linear(n, w diag(gamma), w beta + b), with n the norm without scale and shift.
function fold({ norm, x, gamma, beta, w, b }: Folded, uses: Uses): Node | Skip {
  const others = uses.of(norm).filter((n) => n.op !== linear);
  if (others.length) return skip(`the norm is also read by ${others.map((n) => n.op.name).join(", ")}`);
  if (![gamma, beta, w].every(isStatic)) return skip("scale, shift or weight depend on an input");
  if (uses.count(w) > 1) return skip("the weight is shared (a tied embedding?): folding would store a second copy");
  const [out, inner] = w.type.shape;
  const shift = reshape(matmul(w, reshape(beta, { shape: [inner!, 1] })), { shape: [out!] });
  return linear(normalize(x, { eps: norm.attrs.eps }), mul(w, gamma), b ? add(shift, b) : shift);
}

const norm = layerNorm.pat(v("x"), v("gamma"), v("beta")).as("norm");

/** Moves scale and shift of a layer norm into the weights of the linears that read it, one or several. */
export const foldNorm = rules(
  "fold-norm",
  [
    rule("fold-norm", linear.pat(norm, v("w"), v("b")), fold),
    rule("fold-norm-without-bias", linear.pat(norm, v("w")), fold),
  ],
  {
    doc: "Scale and shift of a norm become part of the next linear's weight and bias, computed when weights are written.",
  },
);
