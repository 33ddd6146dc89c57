import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { broadcast, elements, sameDim, showDim, showType } from "../type.ts";
import { matmulInto } from "../evaluate/matmul.ts";

export const matmul = defineOp({
  name: "matmul",
  doc: "Batched matrix product over the last two axes, earlier axes broadcast as in numpy. a [..., m, k], b [..., k, n] -> [..., m, n].",
  inputs: ["a", "b"],
  attrs: { transposeA: optional(attr.bool, false), transposeB: optional(attr.bool, false) },
  infer: ({ a, b }, { transposeA, transposeB }) => {
    if (a.shape.length < 2 || b.shape.length < 2)
      throw new Error(`needs operands of rank 2 or more, not ${showType(a)} and ${showType(b)}`);
    const [am, ak] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
    const [bk, bn] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!sameDim(ak, bk))
      throw new Error(`inner sizes differ: ${showDim(ak)} of a ${showType(a)} against ${showDim(bk)} of b ${showType(b)}`);
    if (!batch) throw new Error(`batch axes do not broadcast: a ${showType(a)}, b ${showType(b)}`);
    return { dtype: a.dtype, shape: [...batch, am, bn] };
  },
  evaluate: ({ a, b }, { transposeA, transposeB }, out) => matmulInto(a, b, out, transposeA, transposeB),
  cost: ({ a }, { transposeA }, out) => ({ flops: 2 * elements(out.shape) * elements([a.shape.at(transposeA ? -2 : -1)!]) }),
});
