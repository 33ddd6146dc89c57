import { type Node, renamed } from "../ir/node.ts";
import { add, gatedMlp, linear, linearAdd, mlp, mul, slice } from "../ir/ops/index.ts";
import { activated } from "../ir/ops/support/activations.ts";
import { v } from "../ir/pattern.ts";
import { rule } from "../ir/rewrite.ts";
import { rules } from "./pass.ts";
import { inPlaceOf } from "./support/naming.ts";

/** Values inside a fused op get names of their own: calibration and the report call them by these. */
function part(n: Node, name: string, build: () => Node): Node {
  const called = `${n.name ?? n.op.name}.${name}`;
  return renamed(inPlaceOf(n, called, build), { name: called });
}

// mlp is by definition linear(act(linear(x, w1, b1)), w2, b2), and a residual is added to that.
const parts = (n: Node<{ activation: string }>): Node => {
  const [x, w1, b1, w2, b2, residual] = n.inputs as [Node, Node, Node, Node, Node, Node?];
  const hidden = part(n, "hidden", () => linear(x, w1, b1));
  const active = part(n, "active", () => activated(n.attrs.activation, hidden));
  if (!residual) return linear(active, w2, b2);
  return add(
    part(n, "projected", () => linear(active, w2, b2)),
    residual,
  );
};

/** Fused linears become single ones again: what goes into a product and what comes out of it get encodings of their own. */
export const splitLinears = rules(
  "split-linears",
  [
    rule("split-mlp", mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2")).as("n"), ({ n }) => parts(n)),
    rule("split-mlp-add", mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2"), v("r")).as("n"), ({ n }) => parts(n)),
    // gatedMlp is by definition linear(act(g) * u, w2) with g and u the halves of linear(x, w1).
    rule("split-gated-mlp", gatedMlp.pat(v("x"), v("w1"), v("w2")).as("n"), ({ x, w1, w2, n }) => {
      const size = w2.type.shape[1] as number;
      const hidden = part(n, "hidden", () => linear(x, w1));
      const half = (start: number) => slice(hidden, { axis: -1, start, size });
      const active = part(n, "active", () => mul(activated(n.attrs.activation, half(0)), half(size)));
      return linear(active, w2);
    }),
    // linearAdd is by definition the product and then the addition.
    rule("split-linear-add", linearAdd.pat(v("x"), v("w"), v("b"), v("residual")).as("n"), ({ x, w, b, residual, n }) =>
      add(
        part(n, "projected", () => linear(x, w, b)),
        residual,
      ),
    ),
  ],
  { doc: "Fused linears become single ones, so that each product can be quantised." },
);
