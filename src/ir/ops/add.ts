import { binary } from "./support/elementwise.ts";

export const add = binary(
  "add",
  "a + b per element, broadcast as in numpy. Integers wrap.",
  (x, xAt, xs, y, yAt, ys, o, at, n) => {
    for (let i = 0; i < n; i++) o[at + i] = x[xAt + i * xs]! + y[yAt + i * ys]!;
  },
);
