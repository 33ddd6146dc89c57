import { attr } from "../attr.ts";
import { quantizeInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { elements } from "../type.ts";
import { needFloat } from "./support/check.ts";
import { fixedType, integerRange } from "./support/quant.ts";

export const quantize = defineOp({
  name: "quantize",
  doc: "Floats as fixed point: q = round(x / scale) - offset, halves to even, saturated to dtype (u16, u8 or i8).",
  inputs: ["x"],
  attrs: { dtype: attr.dtype, scale: attr.float, offset: attr.int },
  infer: ({ x }, attrs) => {
    needFloat({ x });
    return fixedType(attrs, x.shape);
  },
  evaluate: ({ x }, { dtype, scale, offset }, out) =>
    quantizeInto(x.data, scale, offset, integerRange(dtype), out.data),
  cost: (_types, _attrs, out) => ({ flops: 2 * elements(out.shape) }),
});
