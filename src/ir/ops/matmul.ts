import { attr, optional } from "../attr.ts";
import { matmulInto } from "../evaluate/matmul.ts";
import { defineOp } from "../op.ts";
import { broadcast, elements, sameDim, showDim, showType } from "../type.ts";
import { needFloat, sameDType } from "./support/check.ts";

export const matmul = defineOp({
  name: "matmul",
  doc: "Matrix product over the last two axes, earlier axes broadcast as in numpy. a [.., m, k], b [.., k, n] -> [.., m, n]; transposeA takes a as [.., k, m], transposeB takes b as [.., n, k].",
  inputs: ["a", "b"],
  attrs: { transposeA: optional(attr.bool, false), transposeB: optional(attr.bool, false) },
  infer: ({ a, b }, { transposeA, transposeB }) => {
    if (a.shape.length < 2 || b.shape.length < 2)
      throw new Error(`needs operands of rank 2 or more, not ${showType(a)} and ${showType(b)}`);
    const [am, ak] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
    const [bk, bn] = transposeB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (!sameDim(ak, bk))
      throw new Error(
        `inner sizes differ: ${showDim(ak)} of a ${showType(a)} against ${showDim(bk)} of b ${showType(b)}`,
      );
    if (!batch) throw new Error(`batch axes do not broadcast: a ${showType(a)}, b ${showType(b)}`);
    needFloat({ a, b });
    return { dtype: sameDType({ a, b }), shape: [...batch, am, bn] };
  },
  evaluate: ({ a, b }, { transposeA, transposeB }, out) => matmulInto(a, b, out, transposeA, transposeB),
  cost: ({ a }, { transposeA }, out) => ({
    flops: 2 * elements(out.shape) * elements([a.shape.at(transposeA ? -2 : -1)!]),
  }),
});
