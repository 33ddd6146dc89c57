import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";
import { elements, sameDim, showType } from "../type.ts";
import { linear } from "./linear.ts";
import { mul } from "./mul.ts";
import { slice } from "./slice.ts";
import { activated, needActivation } from "./support/activations.ts";
import { needFloat, needNumber, needShape, needWeight } from "./support/check.ts";

export const gatedMlp = defineOp({
  name: "gatedMlp",
  doc: "(act(g) * u) w2^T where g and u are the first and the last F columns of x w1^T (Shazeer, 2020, GLU variants): a feed-forward block with a gate in one op. x [.., D], w1 [2F, D] (rows of the gate, then of what it gates), w2 [D, F] -> as x. activation: geluTanh, gelu, silu or none. Weights may be narrower than f32 activations, as those of linear.",
  inputs: ["x", "w1", "w2"],
  attrs: { activation: attr.string },
  infer: ({ x, w1, w2 }, { activation }) => {
    needActivation(activation);
    if (!x.shape.length) throw new Error("x needs at least one axis");
    const width = x.shape.at(-1)!;
    needShape("w1", w1, "2F, D", undefined, width);
    needShape("w2", w2, "D, F", width, undefined);
    const rows = needNumber("2F, the first size of w1,", w1.shape[0]!);
    if (rows % 2 || !sameDim(w2.shape[1]!, rows / 2))
      throw new Error(`w1 must have twice as many rows as w2 has columns: ${showType(w1)} and ${showType(w2)}`);
    needFloat({ x });
    for (const [name, w] of Object.entries({ w1, w2 })) needWeight(name, w, x);
    return { dtype: x.dtype, shape: x.shape };
  },
  expand: ({ x, w1, w2 }, { activation }) => {
    const size = w2.type.shape[1] as number;
    const both = linear(x, w1);
    const part = (start: number) => slice(both, { axis: -1, start, size });
    return linear(mul(activated(activation, part(0)), part(size)), w2);
  },
  cost: ({ x, w2 }) => {
    const [width, hidden] = [elements([x.shape.at(-1)!]), elements([w2.shape[1]!])];
    // About ten operations for each activation, as GELU has in its tanh form, and one for the gate.
    return { flops: elements(x.shape.slice(0, -1)) * (6 * width * hidden + 11 * hidden) };
  },
});
