import { attr, optional } from "../attr.ts";
import { reduceSumInto } from "../evaluate/reduce.ts";
import { defineOp } from "../op.ts";
import { elements } from "../type.ts";
import { resolveAxis } from "./support/axis.ts";
import { reducedType } from "./support/reduce.ts";

export const reduceSum = defineOp({
  name: "reduceSum",
  doc: "The sum along one axis, which stays with size 1 (keepDims) or goes.",
  inputs: ["x"],
  attrs: { axis: attr.int, keepDims: optional(attr.bool, true) },
  infer: ({ x }, attrs) => reducedType(x, attrs),
  evaluate: ({ x }, { axis }, out) => reduceSumInto(x, resolveAxis(axis, x.shape), out),
  cost: ({ x }) => ({ flops: elements(x.shape) }),
});
