import { unary } from "./support/elementwise.ts";

export const exp = unary("exp", "e^x per element.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.exp(x[i]!);
});
