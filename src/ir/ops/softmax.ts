import { attr, optional } from "../attr.ts";
import { defineOp } from "../op.ts";
import { div } from "./div.ts";
import { exp } from "./exp.ts";
import { reduceMax } from "./reduce-max.ts";
import { reduceSum } from "./reduce-sum.ts";
import { sub } from "./sub.ts";
import { resolveAxis } from "./support/axis.ts";
import { needFloat } from "./support/check.ts";

export const softmax = defineOp({
  name: "softmax",
  doc: "e^x / sum(e^x) along an axis, computed from x - max(x) so that it cannot overflow.",
  inputs: ["x"],
  attrs: { axis: optional(attr.int, -1) },
  infer: ({ x }, { axis }) => {
    needFloat({ x });
    resolveAxis(axis, x.shape);
    return { dtype: x.dtype, shape: x.shape };
  },
  expand: ({ x }, { axis }) => {
    const e = exp(sub(x, reduceMax(x, { axis })));
    return div(e, reduceSum(e, { axis }));
  },
});
