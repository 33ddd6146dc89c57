import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";

/** A tensor of the checkpoint. Its value is looked up by `name` when weights are written; until then only its type is known. */
export const param = defineOp({
  name: "param",
  doc: "A weight by the name and in the layout that it has in the checkpoint.",
  inputs: [],
  attrs: { name: attr.string, dtype: attr.dtype, shape: attr.dims },
  keepsBlocks: true,
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
});
