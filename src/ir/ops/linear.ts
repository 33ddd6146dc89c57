import { defineOp } from "../op.ts";
import { elements, sameDim, showDim, showType } from "../type.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { needFloat, needShape, needWeight } from "./support/check.ts";
import { widened } from "./support/widen.ts";

export const linear = defineOp({
  name: "linear",
  doc: "x w^T + b. x [.., in], w [out, in], b [out] -> [.., out]. Weights may be f16, bf16 or in blocks (q8_0 ..) under f32 activations.",
  inputs: ["x", "w", "b?"],
  infer: ({ x, w, b }) => {
    const [out, inner] = w.shape;
    const columns = x.shape.at(-1);
    if (w.shape.length !== 2 || out === undefined || inner === undefined)
      throw new Error(`w must be [out, in], not ${showType(w)}`);
    if (columns === undefined || !sameDim(columns, inner))
      throw new Error(
        `x has ${columns === undefined ? "no" : showDim(columns)} columns but w takes ${showDim(inner)}: x is ${showType(x)}, w is ${showType(w)} ([out, in])`,
      );
    needFloat({ x });
    needWeight("w", w, x);
    if (b) {
      needShape("b", b, "out", out);
      needWeight("b", b, x);
    }
    return { dtype: x.dtype, shape: [...x.shape.slice(0, -1), out] };
  },
  expand: ({ x, w, b }, _, type) => {
    const rows = x.type.shape.length === 1 ? reshape(x, { shape: [1, ...x.type.shape] }) : x;
    const product = matmul(rows, widened(w, type), { transposeB: true });
    const y = rows === x ? product : reshape(product, { shape: type.shape });
    return b ? add(y, widened(b, type)) : y;
  },
  cost: ({ x, b }, _, out) => ({ flops: elements(out.shape) * (2 * elements([x.shape.at(-1)!]) + (b ? 1 : 0)) }),
});
