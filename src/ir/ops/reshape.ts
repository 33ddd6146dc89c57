import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";
import { type Shape, showShape, showType } from "../type.ts";

/** Numbers multiplied, symbols counted: two shapes hold equally many elements, whatever is bound, if these agree. */
function product(shape: Shape): string {
  let numbers = 1;
  const symbols: string[] = [];
  for (const d of shape) {
    if (typeof d === "number") numbers *= d;
    else symbols.push(d.sym);
  }
  return [numbers, ...symbols.sort()].join(" x ");
}

export const reshape = defineOp({
  name: "reshape",
  doc: "The same elements in row-major order under another shape. Symbols may move but not be split or merged.",
  inputs: ["x"],
  attrs: { shape: attr.dims },
  infer: ({ x }, { shape }) => {
    if (product(shape) !== product(x.shape))
      throw new Error(
        `x ${showType(x)} has ${product(x.shape)} elements but ${showShape(shape)} has ${product(shape)}`,
      );
    return { dtype: x.dtype, shape };
  },
  evaluate: ({ x }, _, out) => out.data.set(x.data),
  cost: () => ({ flops: 0, reads: [0], writes: 0 }),
});
