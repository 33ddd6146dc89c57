import { attr } from "../attr.ts";
import { roundInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";
import { integerRange, needBlocks } from "./support/quant.ts";

export const quantizeWeight = defineOp({
  name: "quantizeWeight",
  doc: "The integers of a weight matrix w [out, in] under one scale per row, or that times the blockScales [out, blocks] of each block: q = round(w / scale), halves to even, saturated to i8 or i4 by `bits`.",
  inputs: ["w", "scales", "blockScales?"],
  attrs: { bits: attr.int },
  infer: ({ w, scales, blockScales }, { bits }) => {
    needFloat({ w, scales });
    needShape("w", w, "out, in", undefined, undefined);
    needShape("scales", scales, "out", w.shape[0]);
    if (blockScales) needBlocks(w, blockScales);
    if (bits !== 4 && bits !== 8) throw new Error(`bits must be 4 or 8, not ${bits}`);
    return { dtype: bits === 4 ? "i4" : "i8", shape: w.shape };
  },
  evaluate: ({ w, scales, blockScales }, { bits }, out) => {
    const [least, most] = integerRange("i8", bits);
    const blocks = blockScales?.data ?? scales.data.map(() => 1);
    const size = w.data.length / blocks.length;
    const perRow = w.shape[1]! / size;
    for (let block = 0; block < blocks.length; block++) {
      const scale = scales.data[Math.floor(block / perRow)]! * blocks[block]!;
      const end = (block + 1) * size;
      for (let i = block * size; i < end; i++) out.data[i] = roundInto(w.data[i]! / scale, least, most);
    }
  },
  cost: () => ({ flops: 0 }),
});
