import { binary } from "./support/elementwise.ts";

export const div = binary(
  "div",
  "a / b per element, broadcast as in numpy. Integer quotients are truncated towards zero.",
  (x, xAt, xs, y, yAt, ys, o, at, n) => {
    for (let i = 0; i < n; i++) o[at + i] = x[xAt + i * xs]! / y[yAt + i * ys]!;
  },
);
