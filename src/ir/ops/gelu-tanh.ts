import { add } from "./add.ts";
import { scalar } from "./constant.ts";
import { mul } from "./mul.ts";
import { activation } from "./support/activation.ts";
import { tanh } from "./tanh.ts";

export const geluTanh = activation(
  "geluTanh",
  "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) per element: the approximation of GELU that GPT-2 was trained with (Hendrycks and Gimpel, 2016).",
  (x, dtype) => {
    const cube = mul(mul(x, x), x);
    const inner = mul(add(x, mul(cube, scalar(0.044715, dtype))), scalar(Math.sqrt(2 / Math.PI), dtype));
    return mul(mul(x, scalar(0.5, dtype)), add(tanh(inner), scalar(1, dtype)));
  },
);
