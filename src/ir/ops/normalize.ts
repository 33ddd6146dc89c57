import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { mul } from "./mul.ts";
import { rsqrt } from "./rsqrt.ts";
import { sub } from "./sub.ts";
import { needFloat } from "./support/check.ts";
import { mean } from "./support/mean.ts";

export const normalize = defineOp({
  name: "normalize",
  doc: "(x - mean) / sqrt(variance + eps) over the last axis: layer normalisation without scale and shift (Ba et al., 2016).",
  inputs: ["x"],
  attrs: { eps: optional(attr.float, 1e-5) },
  infer: ({ x }) => {
    needFloat({ x });
    if (!x.shape.length) throw new Error("needs at least one axis");
    return { dtype: x.dtype, shape: x.shape };
  },
  expand: ({ x }, { eps }, { dtype }) => {
    const centered = sub(x, mean(x));
    return mul(centered, rsqrt(add(mean(mul(centered, centered)), scalar(eps, dtype))));
  },
});
