import { attr, optional } from "../attr.ts";
import { reduceMaxInto } from "../evaluate/reduce.ts";
import { defineOp } from "../op.ts";
import { elements } from "../type.ts";
import { resolveAxis } from "./support/axis.ts";
import { reducedType } from "./support/reduce.ts";

export const reduceMax = defineOp({
  name: "reduceMax",
  doc: "The largest value along one axis, which stays with size 1 (keepDims) or goes; NaN if there is one.",
  inputs: ["x"],
  attrs: { axis: attr.int, keepDims: optional(attr.bool, true) },
  infer: ({ x }, attrs) => reducedType(x, attrs),
  evaluate: ({ x }, { axis }, out) => reduceMaxInto(x, resolveAxis(axis, x.shape), out),
  cost: ({ x }) => ({ flops: elements(x.shape) }),
});
