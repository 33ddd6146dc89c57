import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";

export const iota = defineOp({
  name: "iota",
  doc: "0, 1, 2 ... length - 1 -> i32[length].",
  inputs: [],
  attrs: { length: attr.dim },
  infer: (_, { length }) => ({ dtype: "i32", shape: [length] }),
  evaluate: (_values, _attrs, out) => {
    for (let i = 0; i < out.data.length; i++) out.data[i] = i;
  },
  cost: () => ({ flops: 0 }),
});
