import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { div } from "./div.ts";
import { exp } from "./exp.ts";
import { mul } from "./mul.ts";
import { activation } from "./support/activation.ts";

export const sigmoid = activation("sigmoid", "1 / (1 + e^-x) per element.", (x, dtype) => {
  const one = scalar(1, dtype);
  return div(one, add(one, exp(mul(x, scalar(-1, dtype)))));
});
