import { attr } from "../attr.ts";
import { blockScalesInto } from "../evaluate/block-scales.ts";
import { defineOp } from "../op.ts";
import { needFloat, needShape } from "./support/check.ts";
import { blocksOf } from "./support/quant.ts";

export const blockScales = defineOp({
  name: "blockScales",
  doc: "For each block of blockSize inputs of a weight matrix w [out, in] the multiple of its row's scale, 1 to 16, with which 4-bit integers have the least squared error -> u8 [out, in / blockSize]; errors of column i count importance[i] times where that is given. A float for a row and a small integer for a block is what QNN calls blockwise expansion, and AIMET low-power blockwise quantisation.",
  inputs: ["w", "scales", "importance?"],
  attrs: { blockSize: attr.int },
  infer: ({ w, scales, importance }, { blockSize }) => {
    needFloat({ w, scales });
    needShape("w", w, "out, in", undefined, undefined);
    needShape("scales", scales, "out", w.shape[0]);
    if (importance) needShape("importance", importance, "in", w.shape[1]);
    return { dtype: "u8", shape: [w.shape[0]!, blocksOf(w, blockSize)] };
  },
  evaluate: ({ w, scales, importance }, { blockSize }, out) =>
    blockScalesInto(w, blockSize, scales.data, importance?.data, out.data),
  cost: () => ({ flops: 0 }),
});
