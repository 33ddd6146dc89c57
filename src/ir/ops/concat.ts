import { attr } from "../attr.ts";
import { needWholeRows } from "../blocks.ts";
import { concatInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { sameDim, showType } from "../type.ts";
import { resolveAxis, withAxis } from "./support/axis.ts";
import { needNumber, sameDType } from "./support/check.ts";
import { sameEncoding } from "./support/quant.ts";

export const concat = defineOp({
  name: "concat",
  doc: "Tensors of one element type, and of one encoding, one after another along an axis; all other sizes are equal.",
  inputs: ["...xs"],
  attrs: { axis: attr.int },
  keepsBlocks: true,
  infer: ({ xs }, { axis }) => {
    const [first, ...rest] = xs;
    if (!first) throw new Error("needs at least one operand");
    const at = resolveAxis(axis, first.shape);
    const dtype = sameDType(Object.fromEntries(xs.map((x, i) => [`xs[${i}]`, x])));
    needWholeRows(first, at);
    const { quant } = first;
    const encoded = quant && { quant };
    sameEncoding(Object.fromEntries(xs.map((x, i) => [`xs[${i}]`, x])));
    for (const x of rest)
      if (x.shape.length !== first.shape.length || !x.shape.every((d, i) => i === at || sameDim(d, first.shape[i]!)))
        throw new Error(`sizes other than axis ${axis} must be equal: ${showType(first)} against ${showType(x)}`);
    if (!rest.length) return { dtype, shape: first.shape, ...encoded };
    const sizes = xs.map((x) => needNumber(`the size along axis ${axis}`, x.shape[at]!));
    return {
      dtype,
      shape: withAxis(
        first.shape,
        at,
        sizes.reduce((a, b) => a + b),
      ),
      ...encoded,
    };
  },
  evaluate: ({ xs }, { axis }, out) => concatInto(xs, resolveAxis(axis, out.shape), out),
  cost: () => ({ flops: 0 }),
});
