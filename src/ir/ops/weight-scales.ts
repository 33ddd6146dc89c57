import { attr, optional } from "../attr.ts";
import { scaleMethods, weightScalesInto } from "../evaluate/weight-scales.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";

export const weightScales = defineOp({
  name: "weightScales",
  doc: "One symmetric scale per row of a weight matrix w [out, in], for integers of `bits` bits: max takes the largest magnitude, mse the scale with the least squared error; errors of column i count importance[i] times where that is given.",
  inputs: ["w", "importance?"],
  attrs: { bits: attr.int, method: optional(attr.string, "max") },
  infer: ({ w, importance }, { bits, method }) => {
    needFloat({ w });
    needShape("w", w, "out, in", undefined, undefined);
    if (importance) needShape("importance", importance, "in", w.shape[1]);
    if (bits !== 4 && bits !== 8) throw new Error(`bits must be 4 or 8, not ${bits}`);
    if (!scaleMethods.includes(method as (typeof scaleMethods)[number]))
      throw new Error(`method must be one of ${scaleMethods.join(", ")}, not ${JSON.stringify(method)}`);
    return { dtype: "f32", shape: [w.shape[0]!] };
  },
  evaluate: ({ w, importance }, { bits, method }, out) =>
    weightScalesInto(w, bits, method === "mse", importance?.data, out.data),
  cost: () => ({ flops: 0 }),
});
