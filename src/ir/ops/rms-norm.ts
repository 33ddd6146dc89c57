import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { mul } from "./mul.ts";
import { rsqrt } from "./rsqrt.ts";
import { needFloat, needShape, sameDType } from "./support/check.ts";
import { mean } from "./support/mean.ts";

export const rmsNorm = defineOp({
  name: "rmsNorm",
  doc: "x / sqrt(mean(x^2) + eps) * gamma over the last axis (Zhang and Sennrich, 2019). x [.., width], gamma [width], 1 where it is absent.",
  inputs: ["x", "gamma?"],
  attrs: { eps: optional(attr.float, 1e-6) },
  infer: ({ x, gamma }) => {
    if (!x.shape.length) throw new Error("x needs at least one axis");
    if (gamma) needShape("gamma", gamma, "width", x.shape.at(-1));
    needFloat({ x });
    return { dtype: gamma ? sameDType({ x, gamma }) : x.dtype, shape: x.shape };
  },
  expand: ({ x, gamma }, { eps }, { dtype }) => {
    const normal = mul(x, rsqrt(add(mean(mul(x, x)), scalar(eps, dtype))));
    return gamma ? mul(normal, gamma) : normal;
  },
});
