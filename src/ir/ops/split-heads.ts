import { attr } from "../attr.ts";
import { defineOp } from "../op.ts";
import { showType } from "../type.ts";
import { reshape } from "./reshape.ts";
import { needNumber } from "./support/check.ts";
import { transpose } from "./transpose.ts";

export const splitHeads = defineOp({
  name: "splitHeads",
  doc: "x [T, H*D] -> [H, T, D]: columns h*D .. (h+1)*D are head h.",
  inputs: ["x"],
  attrs: { heads: attr.int },
  infer: ({ x }, { heads }) => {
    if (x.shape.length !== 2) throw new Error(`x must be [T, H*D], not ${showType(x)}`);
    const width = needNumber("H*D, the last size of x,", x.shape[1]!);
    if (heads < 1 || width % heads)
      throw new Error(`${width} columns cannot be split into ${heads} heads: x is ${showType(x)}`);
    return { dtype: x.dtype, shape: [heads, x.shape[0]!, width / heads] };
  },
  expand: ({ x }, _, type) => {
    const [heads, rows, dim] = type.shape as [number, number, number];
    return transpose(reshape(x, { shape: [rows, heads, dim] }), { perm: [1, 0, 2] });
  },
});
