import { unary } from "./support/elementwise.ts";

export const rsqrt = unary("rsqrt", "1 / sqrt(x) per element.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = 1 / Math.sqrt(x[i]!);
});
