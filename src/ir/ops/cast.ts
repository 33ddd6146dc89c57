import { attr } from "../attr.ts";
import { isBlock } from "../blocks.ts";
import { castInto } from "../evaluate/cast.ts";
import { defineOp } from "../op.ts";

export const cast = defineOp({
  name: "cast",
  doc: "The values in another element type: floats round to nearest even, floats to integers truncate and saturate, bool is x != 0. A weight in blocks (q8_0 ..) becomes the floats that it stands for.",
  inputs: ["x"],
  attrs: { dtype: attr.dtype },
  infer: ({ x }, { dtype }) => {
    if (isBlock(dtype) && dtype !== x.dtype)
      throw new Error(`cannot make ${dtype}: blocks come from a file of weights`);
    return { dtype, shape: x.shape };
  },
  evaluate: ({ x }, _, out) => castInto(x, out),
  cost: () => ({ flops: 0 }),
});
