/** What elementwise ops have in common: an op brings its name, its words and its innermost loop. */
import { type BinaryRow, binaryInto } from "../../evaluate/elementwise.ts";
import type { Data } from "../../evaluate/tensor.ts";
import { defineOp } from "../../op.ts";
import { type DType, elements } from "../../type.ts";
import { broadcastAll, needFloat, sameDType } from "./check.ts";

/** A function of each float. `row` fills `o`, which is as long as `x`. */
export const unary = (name: string, doc: string, row: (x: Data, o: Data) => void) =>
  defineOp({
    name,
    doc,
    inputs: ["x"],
    infer: ({ x }) => {
      needFloat({ x });
      return { dtype: x.dtype, shape: x.shape };
    },
    evaluate: ({ x }, _, out) => row(x.data, out.data),
    cost: (_types, _attrs, out) => ({ flops: elements(out.shape) }),
  });

/** A function of two values with numpy broadcasting; `result` is the element type where it is not that of the operands. */
export const binary = (name: string, doc: string, row: BinaryRow, result?: DType) =>
  defineOp({
    name,
    doc,
    inputs: ["a", "b"],
    infer: ({ a, b }) => {
      const dtype = sameDType({ a, b });
      if (dtype === "bool") throw new Error("takes numbers, not bool");
      return { dtype: result ?? dtype, shape: broadcastAll({ a, b }) };
    },
    evaluate: ({ a, b }, _, out) => binaryInto(a, b, out, row),
    cost: (_types, _attrs, out) => ({ flops: elements(out.shape) }),
  });
