import { attr } from "../attr.ts";
import type { Node } from "../node.ts";
import { defineOp } from "../op.ts";
import { originOf } from "../origin.ts";
import type { DType, Shape, TensorType } from "../type.ts";

export const inputOp = defineOp({
  name: "input",
  doc: "A value that the caller provides at every run.",
  inputs: [],
  attrs: { dtype: attr.dtype, shape: attr.dims },
  infer: (_, a) => ({ dtype: a.dtype, shape: a.shape }) satisfies TensorType,
});

/** A graph input. Its name is part of the graph's ABI, so it is given and not read from the source. */
export const input = (name: string, dtype: DType, ...shape: Shape): Node =>
  inputOp.build([], { dtype, shape }, { name, loc: originOf("input").loc });
