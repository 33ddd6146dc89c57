import { attr, optional } from "../attr.ts";
import type { Node } from "../node.ts";
import { defineOp } from "../op.ts";
import { originOf } from "../origin.ts";
import type { DType, Shape, TensorType } from "../type.ts";
import { fixedType } from "./support/quant.ts";

export const inputOp = defineOp({
  name: "input",
  doc: "A value that the caller provides at every run; with a scale, in fixed point: (q + offset) * scale.",
  inputs: [],
  attrs: { dtype: attr.dtype, shape: attr.dims, scale: optional(attr.float, 0), offset: optional(attr.int, 0) },
  infer: (_, a): TensorType => (a.scale ? fixedType(a, a.shape) : { dtype: a.dtype, shape: a.shape }),
});

/** A graph input. Its name is part of the graph's ABI, so it is given and not read from the source. */
export const input = (name: string, dtype: DType, ...shape: Shape): Node =>
  inputOp.build([], { dtype, shape }, { name, loc: originOf("input").loc });
