import { attr } from "../attr.ts";
import { roundInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";
import { integerRange } from "./support/quant.ts";

export const quantizeWeight = defineOp({
  name: "quantizeWeight",
  doc: "The integers of a weight matrix w [out, in] under one scale per row: q = round(w / scale), halves to even, saturated to i8 or i4 by `bits`.",
  inputs: ["w", "scales"],
  attrs: { bits: attr.int },
  infer: ({ w, scales }, { bits }) => {
    needFloat({ w, scales });
    needShape("w", w, "out, in", undefined, undefined);
    needShape("scales", scales, "out", w.shape[0]);
    if (bits !== 4 && bits !== 8) throw new Error(`bits must be 4 or 8, not ${bits}`);
    return { dtype: bits === 4 ? "i4" : "i8", shape: w.shape };
  },
  evaluate: ({ w, scales }, { bits }, out) => {
    const [least, most] = integerRange("i8", bits);
    const columns = w.shape[1]!;
    for (let row = 0; row < w.shape[0]!; row++) {
      const scale = scales.data[row]!;
      const end = (row + 1) * columns;
      for (let i = row * columns; i < end; i++) out.data[i] = roundInto(w.data[i]! / scale, least, most);
    }
  },
  cost: () => ({ flops: 0 }),
});
