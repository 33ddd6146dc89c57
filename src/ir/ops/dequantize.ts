import { attr, optional } from "../attr.ts";
import { dequantizeInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { elements, isFloat } from "../type.ts";
import { encodingOf } from "./support/quant.ts";

export const dequantize = defineOp({
  name: "dequantize",
  doc: "Fixed point as floats: x = (q + offset) * scale, with the encoding of the operand's type.",
  inputs: ["x"],
  attrs: { dtype: optional(attr.dtype, "f32") },
  infer: ({ x }, { dtype }) => {
    encodingOf("x", x);
    if (!isFloat(dtype)) throw new Error(`dtype must be a float type, not ${dtype}`);
    return { dtype, shape: x.shape };
  },
  evaluate: ({ x }, _, out) => {
    const { scale, offset } = encodingOf("x", x.type);
    dequantizeInto(x.data, scale, offset, out.data);
  },
  cost: (_types, _attrs, out) => ({ flops: 2 * elements(out.shape) }),
});
