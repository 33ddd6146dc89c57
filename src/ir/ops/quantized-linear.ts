import { attr } from "../attr.ts";
import { quantizedLinearInto, scaledLinearInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { elements } from "../type.ts";
import { encodingOf, fixedProduct, integerRange } from "./support/quant.ts";

export const quantizedLinear = defineOp({
  name: "quantizedLinear",
  doc: "x w^T + b in integers: x [.., in] u16, u8 or i8 with one scale, w [out, in] i8 or i4 with scales f32[out], b i32[out] in units of their product -> [.., out] in the given encoding. acc = sum (x + its offset) w + b, exact; q = round(acc * (scale of x * scales / scale)) - offset, halves to even, saturated. With dtype f32, scale 1 and offset 0 the result is the float acc * (scale of x * scales), both factors and their product rounded to f32.",
  inputs: ["x", "w", "scales", "b?"],
  attrs: { dtype: attr.dtype, scale: attr.float, offset: attr.int },
  infer: fixedProduct,
  evaluate: ({ x, w, scales, b }, { dtype, scale, offset }, out) => {
    const from = encodingOf("x", x.type);
    if (dtype === "f32") scaledLinearInto(x, w, scales.data, b?.data, from, out);
    else quantizedLinearInto(x, w, scales.data, b?.data, from, { scale, offset }, integerRange(dtype), out);
  },
  cost: ({ x }, _, out) => ({ flops: elements(out.shape) * (2 * elements([x.shape.at(-1)!]) + 3) }),
});
