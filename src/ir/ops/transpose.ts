import { attr } from "../attr.ts";
import { transposeInto } from "../evaluate/move.ts";
import { defineOp } from "../op.ts";
import { showType } from "../type.ts";

export const transpose = defineOp({
  name: "transpose",
  doc: "Axes in another order: axis i of the result is axis perm[i] of x.",
  inputs: ["x"],
  attrs: { perm: attr.ints },
  infer: ({ x }, { perm }) => {
    if (perm.length !== x.shape.length || !x.shape.every((_, i) => perm.includes(i)))
      throw new Error(`perm [${perm.join(",")}] must name each axis of x ${showType(x)} once`);
    return { dtype: x.dtype, shape: perm.map((p) => x.shape[p]!) };
  },
  evaluate: ({ x }, { perm }, out) => transposeInto(x, perm, out),
  cost: () => ({ flops: 0 }),
});
