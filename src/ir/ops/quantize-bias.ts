import { attr } from "../attr.ts";
import { roundInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";
import { integerRange, needScale } from "./support/quant.ts";

export const quantizeBias = defineOp({
  name: "quantizeBias",
  doc: "A bias b [out] in the unit of a quantised product: round(b / (xScale * scales)), halves to even, saturated to i32. scales [out] are those of the weight, xScale that of the activations.",
  inputs: ["b", "scales"],
  attrs: { xScale: attr.float },
  infer: ({ b, scales }, { xScale }) => {
    needFloat({ b, scales });
    needShape("scales", scales, "out", b.shape[0]);
    needShape("b", b, "out", scales.shape[0]);
    needScale("xScale", xScale);
    return { dtype: "i32", shape: b.shape };
  },
  evaluate: ({ b, scales }, { xScale }, out) => {
    const [least, most] = integerRange("i32");
    for (let i = 0; i < out.data.length; i++)
      out.data[i] = roundInto(b.data[i]! / (xScale * scales.data[i]!), least, most);
  },
  cost: () => ({ flops: 0 }),
});
