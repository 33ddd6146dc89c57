import type { Node } from "../ir/node.ts";
import { add, linear, linearAdd, mlp } from "../ir/ops/index.ts";
import { type Pat, v } from "../ir/pattern.ts";
import { type Rule, rule, type Skip, skip, type Uses } from "../ir/rewrite.ts";
import { sameType, showType } from "../ir/type.ts";
import { rules } from "./pass.ts";

// a + b = b + a, and linearAdd and mlp with a residual are by definition the op and then the addition.
const residual = v("residual");
const projection = linear.pat(v("x"), v("w"), v("b")).as("y");
const feedForward = mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2")).as("y");

/** Why `y` cannot take over the addition of `residual`. */
function obstacle(y: Node, residual: Node, uses: Uses): Skip | undefined {
  if (uses.count(y) > 1) return skip(`${y.op.name} has ${uses.count(y)} users`);
  if (!sameType(y.type, residual.type))
    return skip(`adds ${showType(residual.type)} to ${showType(y.type)}: not a residual`);
  return undefined;
}

/** A rule for each order of the two operands of the addition. */
const bothOrders = <C extends { readonly y: Node; readonly residual: Node }>(
  name: string,
  y: Pat<unknown>,
  fused: (captures: C) => Node,
): Rule[] =>
  [add.pat(y, residual), add.pat(residual, y)].map((pattern, i) =>
    rule(
      i ? `${name}-right` : `${name}-left`,
      pattern as Pat<unknown> as Pat<C>,
      (c, uses) => obstacle(c.y, c.residual, uses) ?? fused(c),
    ),
  );

type Projection = Record<"x" | "w" | "b" | "y" | "residual", Node>;
type FeedForward = Record<"x" | "w1" | "b1" | "w2" | "b2" | "residual", Node> & {
  readonly y: Node<{ activation: string }>;
};

/** The addition that ends a residual branch becomes part of the product before it: one pass over memory less. */
export const fuseResidual = rules(
  "fuse-residual",
  [
    ...bothOrders<Projection>("linear-add", projection, ({ x, w, b, residual }) => linearAdd(x, w, b, residual)),
    ...bothOrders<FeedForward>("mlp-add", feedForward, ({ x, w1, b1, w2, b2, residual, y }) =>
      mlp(x, w1, b1, w2, b2, residual, { activation: y.attrs.activation }),
    ),
  ],
  { doc: "The addition of a residual becomes part of the linear or mlp before it." },
);
