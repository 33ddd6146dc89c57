/** What composites of one float operand have in common. */
import type { Node } from "../../node.ts";
import { defineOp } from "../../op.ts";
import type { DType } from "../../type.ts";
import { needFloat } from "./check.ts";

/** A function of each float, written in other ops. */
export const activation = (name: string, doc: string, expand: (x: Node, dtype: DType) => Node) =>
  defineOp({
    name,
    doc,
    inputs: ["x"],
    infer: ({ x }) => {
      needFloat({ x });
      return { dtype: x.dtype, shape: x.shape };
    },
    expand: ({ x }, _, { dtype }) => expand(x, dtype),
  });
