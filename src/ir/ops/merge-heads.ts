import { defineOp } from "../op.ts";
import { showType } from "../type.ts";
import { reshape } from "./reshape.ts";
import { needNumber } from "./support/check.ts";
import { transpose } from "./transpose.ts";

export const mergeHeads = defineOp({
  name: "mergeHeads",
  doc: "x [H, T, D] -> [T, H*D]: the inverse of splitHeads.",
  inputs: ["x"],
  infer: ({ x }) => {
    if (x.shape.length !== 3) throw new Error(`x must be [H, T, D], not ${showType(x)}`);
    const [heads, rows, dim] = x.shape as [number, number, number];
    return { dtype: x.dtype, shape: [rows, needNumber("H", heads) * needNumber("D", dim)] };
  },
  expand: ({ x }, _, type) => reshape(transpose(x, { perm: [1, 0, 2] }), { shape: type.shape }),
});
