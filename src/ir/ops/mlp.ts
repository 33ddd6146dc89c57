import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";
import { elements, sameShape, showType } from "../type.ts";
import { add } from "./add.ts";
import { linear } from "./linear.ts";
import { activated, needActivation } from "./support/activations.ts";
import { needFloat, needShape, needWeight, sameDType } from "./support/check.ts";

export const mlp = defineOp({
  name: "mlp",
  doc: "act(x w1^T + b1) w2^T + b2 (+ residual): a transformer's feed-forward block in one op. x [.., D], w1 [F, D], b1 [F], w2 [D, F], b2 [D], residual as x -> as x. activation: geluTanh, gelu, silu or none. Weights may be f16, bf16 or in blocks (q8_0 ..) under f32 activations.",
  inputs: ["x", "w1", "b1", "w2", "b2", "residual?"],
  attrs: { activation: attr.string },
  infer: ({ x, w1, b1, w2, b2, residual }, { activation }) => {
    needActivation(activation);
    if (!x.shape.length) throw new Error("x needs at least one axis");
    const width = x.shape.at(-1);
    needShape("w1", w1, "F, D", undefined, width);
    needShape("b1", b1, "F", w1.shape[0]);
    needShape("w2", w2, "D, F", width, w1.shape[0]);
    needShape("b2", b2, "D", width);
    needFloat({ x });
    for (const [name, w] of Object.entries({ w1, b1, w2, b2 })) needWeight(name, w, x);
    if (residual) {
      sameDType({ x, residual });
      if (!sameShape(residual.shape, x.shape))
        throw new Error(`residual must be as x ${showType(x)}, not ${showType(residual)}`);
    }
    return { dtype: x.dtype, shape: x.shape };
  },
  expand: ({ x, w1, b1, w2, b2, residual }, { activation }) => {
    const y = linear(activated(activation, linear(x, w1, b1)), w2, b2);
    return residual ? add(y, residual) : y;
  },
  cost: ({ x, w1, residual }) => {
    const hidden = elements([w1.shape[0]!]);
    const rows = elements(x.shape.slice(0, -1));
    const width = elements([x.shape.at(-1)!]);
    // About ten operations for each activation, as GELU has in its tanh form.
    return { flops: rows * (4 * width * hidden + 11 * hidden + width * (residual ? 2 : 1)) };
  },
});
