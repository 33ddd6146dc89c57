import { selectInto } from "../evaluate/elementwise.ts";
import { defineOp } from "../op.ts";
import { elements, showType } from "../type.ts";
import { broadcastAll, sameDType } from "./support/check.ts";

export const select = defineOp({
  name: "select",
  doc: "a where cond holds, b elsewhere; all three broadcast as in numpy. cond bool, a and b of one element type.",
  inputs: ["cond", "a", "b"],
  infer: ({ cond, a, b }) => {
    if (cond.dtype !== "bool") throw new Error(`cond must be bool, not ${showType(cond)}`);
    return { dtype: sameDType({ a, b }), shape: broadcastAll({ cond, a, b }) };
  },
  evaluate: ({ cond, a, b }, _, out) => selectInto(cond, a, b, out),
  cost: (_types, _attrs, out) => ({ flops: elements(out.shape) }),
});
