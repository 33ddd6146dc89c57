import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { erf } from "./erf.ts";
import { mul } from "./mul.ts";
import { activation } from "./support/activation.ts";

export const gelu = activation(
  "gelu",
  "0.5 x (1 + erf(x / sqrt(2))) per element (Hendrycks and Gimpel, 2016).",
  (x, dtype) => mul(mul(x, scalar(0.5, dtype)), add(erf(mul(x, scalar(Math.SQRT1_2, dtype))), scalar(1, dtype))),
);
