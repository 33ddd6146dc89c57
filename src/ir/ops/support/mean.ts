import type { Node } from "../../node.ts";
import { scalar } from "../constant.ts";
import { mul } from "../mul.ts";
import { reduceSum } from "../reduce-sum.ts";
import { needNumber } from "./check.ts";

/** The mean over the last axis, which stays with size 1. @throws Error where that axis is a symbol. */
export function mean(x: Node): Node {
  const width = needNumber("the width of a mean", x.type.shape.at(-1)!);
  return mul(reduceSum(x, { axis: -1 }), scalar(1 / width, x.type.dtype));
}
