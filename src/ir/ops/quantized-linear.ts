import { attr } from "../attr.ts";
import { quantizedLinearInto, scaledLinearInto } from "../evaluate/quantize.ts";
import { defineOp } from "../op.ts";
import { elements, sameDim, showDim, showType } from "../type.ts";
import { needShape } from "./support/check.ts";
import { encodingOf, fixedType, integerRange } from "./support/quant.ts";

export const quantizedLinear = defineOp({
  name: "quantizedLinear",
  doc: "x w^T + b in integers: x [.., in] u16, u8 or i8 with one scale, w [out, in] i8 or i4 with scales f32[out], b i32[out] in units of their product -> [.., out] in the given encoding. acc = sum (x + its offset) w + b, exact; q = round(acc * (scale of x * scales / scale)) - offset, halves to even, saturated. With dtype f32, scale 1 and offset 0 the result is the float acc * (scale of x * scales), both factors and their product rounded to f32.",
  inputs: ["x", "w", "scales", "b?"],
  attrs: { dtype: attr.dtype, scale: attr.float, offset: attr.int },
  infer: ({ x, w, scales, b }, attrs) => {
    encodingOf("x", x);
    const columns = x.shape.at(-1);
    if (w.shape.length !== 2 || columns === undefined || !sameDim(columns, w.shape[1]!))
      throw new Error(
        `w must be [out, in=${columns === undefined ? "?" : showDim(columns)}] for x ${showType(x)}, not ${showType(w)}`,
      );
    if (w.dtype !== "i8" && w.dtype !== "i4") throw new Error(`w must hold i8 or i4, not ${showType(w)}`);
    if (scales.dtype !== "f32") throw new Error(`scales must be f32, not ${showType(scales)}`);
    needShape("scales", scales, "out", w.shape[0]);
    if (b) {
      if (b.dtype !== "i32") throw new Error(`b must be i32, not ${showType(b)}`);
      needShape("b", b, "out", w.shape[0]);
    }
    const shape = [...x.shape.slice(0, -1), w.shape[0]!];
    if (attrs.dtype !== "f32") return fixedType(attrs, shape);
    if (attrs.scale !== 1 || attrs.offset !== 0) throw new Error("a result in f32 has scale 1 and offset 0");
    return { dtype: "f32", shape };
  },
  evaluate: ({ x, w, scales, b }, { dtype, scale, offset }, out) => {
    const from = encodingOf("x", x.type);
    if (dtype === "f32") scaledLinearInto(x, w, scales.data, b?.data, from, out);
    else quantizedLinearInto(x, w, scales.data, b?.data, from, { scale, offset }, integerRange(dtype), out);
  },
  cost: ({ x }, _, out) => ({ flops: elements(out.shape) * (2 * elements([x.shape.at(-1)!]) + 3) }),
});
