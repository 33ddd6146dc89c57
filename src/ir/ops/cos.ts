import { unary } from "./support/elementwise.ts";

export const cos = unary("cos", "Cosine per element, in radians.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.cos(x[i]!);
});
