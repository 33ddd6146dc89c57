import { erf as errorFunction } from "../evaluate/erf.ts";
import { unary } from "./support/elementwise.ts";

export const erf = unary(
  "erf",
  "The error function 2/sqrt(pi) * integral of e^(-t^2) from 0 to x, per element.",
  (x, o) => {
    for (let i = 0; i < o.length; i++) o[i] = errorFunction(x[i]!);
  },
);
