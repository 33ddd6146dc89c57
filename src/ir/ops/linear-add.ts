import { defineOp } from "../op.ts";
import { elements, sameDim, showDim, showType } from "../type.ts";
import { add } from "./add.ts";
import { linear } from "./linear.ts";
import { needFloat, needShape, needWeight, sameDType } from "./support/check.ts";

export const linearAdd = defineOp({
  name: "linearAdd",
  doc: "x w^T + b + residual: a projection that ends a residual branch. x [.., in], w [out, in], b [out], residual [.., out] -> [.., out]. Weights may be f16, bf16 or in blocks (q8_0 ..) under f32 activations.",
  inputs: ["x", "w", "b", "residual"],
  infer: ({ x, w, b, residual }) => {
    const columns = x.shape.at(-1);
    if (w.shape.length !== 2 || columns === undefined || !sameDim(columns, w.shape[1]!))
      throw new Error(
        `w must be [out, in=${columns === undefined ? "?" : showDim(columns)}] for x ${showType(x)}, not ${showType(w)}`,
      );
    const out = w.shape[0]!;
    needShape("b", b, "out", out);
    needFloat({ x });
    needWeight("w", w, x);
    needWeight("b", b, x);
    const shape = [...x.shape.slice(0, -1), out];
    if (residual.shape.length !== shape.length || !shape.every((d, i) => sameDim(d, residual.shape[i]!)))
      throw new Error(
        `residual must be ${showType({ dtype: x.dtype, shape })} as the product is, not ${showType(residual)}`,
      );
    return { dtype: sameDType({ x, residual }), shape };
  },
  expand: ({ x, w, b, residual }) => add(linear(x, w, b), residual),
  cost: ({ x }, _, out) => ({ flops: elements(out.shape) * (2 * elements([x.shape.at(-1)!]) + 2) }),
});
