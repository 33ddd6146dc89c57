import { unary } from "./support/elementwise.ts";

export const tanh = unary("tanh", "Hyperbolic tangent per element.", (x, o) => {
  for (let i = 0; i < o.length; i++) o[i] = Math.tanh(x[i]!);
});
