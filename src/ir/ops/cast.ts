import { attr } from "../attr.ts";
import { castInto } from "../evaluate/cast.ts";
import { defineOp } from "../op.ts";

export const cast = defineOp({
  name: "cast",
  doc: "The values in another element type: floats round to nearest even, floats to integers truncate and saturate, bool is x != 0.",
  inputs: ["x"],
  attrs: { dtype: attr.dtype },
  infer: ({ x }, { dtype }) => ({ dtype, shape: x.shape }),
  evaluate: ({ x }, _, out) => castInto(x, out),
  cost: () => ({ flops: 0 }),
});
