import { defineOp } from "../op.ts";
import { showType } from "../type.ts";
import { needBlocks } from "./support/quant.ts";

export const expandBlocks = defineOp({
  name: "expandBlocks",
  doc: "4-bit integers times the scale of their block: w i4 [out, in], blockScales u8 [out, blocks] of 1 to 16 -> i8 [out, in], whose scale is that of the row alone.",
  inputs: ["w", "blockScales"],
  infer: ({ w, blockScales }) => {
    if (w.dtype !== "i4") throw new Error(`w must hold i4, not ${showType(w)}`);
    needBlocks(w, blockScales);
    return { dtype: "i8", shape: w.shape };
  },
  evaluate: ({ w, blockScales }, _, out) => {
    const blockSize = w.data.length / blockScales.data.length;
    for (let i = 0; i < out.data.length; i++) out.data[i] = w.data[i]! * blockScales.data[Math.floor(i / blockSize)]!;
  },
  cost: () => ({ flops: 0 }),
});
