import { unary } from "./support/elementwise.ts";

export const sqrt = unary("sqrt", "Square root per element; NaN below zero.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.sqrt(x[i]!);
});
