import { attr } from "../attr.ts";
import { requantizeInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { elements } from "../type.ts";
import { encodingOf, fixedType, integerRange } from "./support/quant.ts";

export const requantize = defineOp({
  name: "requantize",
  doc: "The same values in another encoding: round((q + offset of x) * (scale of x / scale)) - offset, halves to even, saturated.",
  inputs: ["x"],
  attrs: { dtype: attr.dtype, scale: attr.float, offset: attr.int },
  infer: ({ x }, attrs) => {
    encodingOf("x", x);
    return fixedType(attrs, x.shape);
  },
  evaluate: ({ x }, { dtype, scale, offset }, out) =>
    requantizeInto(x.data, encodingOf("x", x.type), { scale, offset }, integerRange(dtype), out.data),
  cost: (_types, _attrs, out) => ({ flops: 3 * elements(out.shape) }),
});
