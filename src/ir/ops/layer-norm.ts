import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { normalize } from "./normalize.ts";
import { needFloat, needShape, sameDType } from "./support/check.ts";

export const layerNorm = defineOp({
  name: "layerNorm",
  doc: "(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis (Ba et al., 2016). x [.., width], gamma and beta [width].",
  inputs: ["x", "gamma", "beta"],
  attrs: { eps: optional(attr.float, 1e-5) },
  infer: ({ x, gamma, beta }) => {
    if (!x.shape.length) throw new Error("x needs at least one axis");
    needShape("gamma", gamma, "width", x.shape.at(-1));
    needShape("beta", beta, "width", x.shape.at(-1));
    needFloat({ x });
    return { dtype: sameDType({ x, gamma, beta }), shape: x.shape };
  },
  expand: ({ x, gamma, beta }, { eps }) => add(mul(normalize(x, { eps }), gamma), beta),
});
