import { defineOp } from "../op.ts";
import { elements, sameDim, showDim, showType } from "../type.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";

export const linear = defineOp({
  name: "linear",
  doc: "x w^T + b. x [..., in], w [out, in], b [out] -> [..., out]. Weights may be f16 under f32 activations.",
  inputs: ["x", "w", "b?"],
  infer: ({ x, w, b }) => {
    const [out, inner] = w.shape;
    const columns = x.shape.at(-1);
    if (w.shape.length !== 2 || out === undefined || inner === undefined)
      throw new Error(`w must be [out, in], not ${showType(w)}`);
    if (columns === undefined || !sameDim(columns, inner))
      throw new Error(`x has ${columns === undefined ? "no" : showDim(columns)} columns but w takes ${showDim(inner)}: x is ${showType(x)}, w is ${showType(w)} ([out, in])`);
    if (b && (b.shape.length !== 1 || !sameDim(b.shape[0]!, out)))
      throw new Error(`b must be [${showDim(out)}] to match w ${showType(w)}, not ${showType(b)}`);
    return { dtype: x.dtype, shape: [...x.shape.slice(0, -1), out] };
  },
  expand: ({ x, w, b }) => {
    const y = matmul(x, w, { transposeB: true });
    return b ? add(y, b) : y;
  },
  cost: ({ x }, _, out) => ({ flops: 2 * elements(out.shape) * elements([x.shape.at(-1)!]) }),
});
