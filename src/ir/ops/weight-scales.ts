import { attr, optional } from "../attr.ts";
import { scaleMethods, weightScalesInto } from "../evaluate/weight-scales.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";
import { blocksOf } from "./support/quant.ts";

export const weightScales = defineOp({
  name: "weightScales",
  doc: "One symmetric scale per row of a weight matrix w [out, in], for integers of `bits` bits: max takes the largest magnitude, mse the scale with the least squared error; errors of column i count importance[i] times where that is given. With a blockSize, the unit whose multiples the scales of blocks are: a 16th of the largest.",
  inputs: ["w", "importance?"],
  attrs: { bits: attr.int, method: optional(attr.string, "max"), blockSize: optional(attr.int, 0) },
  infer: ({ w, importance }, { bits, method, blockSize }) => {
    needFloat({ w });
    needShape("w", w, "out, in", undefined, undefined);
    if (importance) needShape("importance", importance, "in", w.shape[1]);
    if (blockSize !== 0) blocksOf(w, blockSize);
    if (bits !== 4 && bits !== 8) throw new Error(`bits must be 4 or 8, not ${bits}`);
    if (!scaleMethods.includes(method as (typeof scaleMethods)[number]))
      throw new Error(`method must be one of ${scaleMethods.join(", ")}, not ${JSON.stringify(method)}`);
    return { dtype: "f32", shape: [w.shape[0]!] };
  },
  evaluate: ({ w, importance }, { bits, method, blockSize }, out) =>
    weightScalesInto(
      w,
      { bits, mse: method === "mse", blockSize: blockSize || w.shape[1]! },
      importance?.data,
      out.data,
    ),
  cost: () => ({ flops: 0 }),
});
