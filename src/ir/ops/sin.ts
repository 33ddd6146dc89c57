import { unary } from "./support/elementwise.ts";

export const sin = unary("sin", "Sine per element, in radians.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sin(x[i]!);
});
