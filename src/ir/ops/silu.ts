import { mul } from "./mul.ts";
import { sigmoid } from "./sigmoid.ts";
import { activation } from "./support/activation.ts";

export const silu = activation("silu", "x sigmoid(x) per element, also called swish (Elfwing et al., 2017).", (x) =>
  mul(x, sigmoid(x)),
);
