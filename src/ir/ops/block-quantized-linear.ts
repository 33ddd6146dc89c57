import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";
import { expandBlocks } from "./expand-blocks.ts";
import { quantizedLinear } from "./quantized-linear.ts";
import { fixedProduct, needBlocks } from "./support/quant.ts";

export const blockQuantizedLinear = defineOp({
  name: "blockQuantizedLinear",
  doc: "quantizedLinear with 4-bit weights that also have an integer scale for each block of inputs: w i4 [out, in], scales f32[out], blockScales u8 [out, blocks]. Sums are those of the expanded weights, exact.",
  inputs: ["x", "w", "scales", "blockScales", "b?"],
  attrs: { dtype: attr.dtype, scale: attr.float, offset: attr.int },
  infer: ({ x, w, scales, blockScales, b }, attrs) => {
    needBlocks(w, blockScales);
    return fixedProduct({ x, w, scales, b }, attrs);
  },
  expand: ({ x, w, scales, blockScales, b }, attrs) =>
    quantizedLinear.build([x, expandBlocks(w, blockScales), scales, ...(b ? [b] : [])], attrs),
});
