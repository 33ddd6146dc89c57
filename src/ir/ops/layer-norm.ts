import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { sameDim, showType } from "../type.ts";
import { add } from "./add.ts";
import { mul } from "./mul.ts";
import { normalize } from "./normalize.ts";

export const layerNorm = defineOp({
  name: "layerNorm",
  doc: "(x - mean) / sqrt(variance + eps) * gamma + beta over the last axis (Ba et al., 2016). gamma, beta [width].",
  inputs: ["x", "gamma", "beta"],
  attrs: { eps: optional(attr.float, 1e-5) },
  infer: ({ x, gamma, beta }) => {
    const width = x.shape.at(-1);
    for (const [name, t] of Object.entries({ gamma, beta }))
      if (width === undefined || t.shape.length !== 1 || !sameDim(t.shape[0]!, width))
        throw new Error(`${name} must be as wide as x ${showType(x)}, not ${showType(t)}`);
    return x;
  },
  expand: ({ x, gamma, beta }, { eps }) => add(mul(normalize(x, { eps }), gamma), beta),
});
