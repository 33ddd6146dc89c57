import { binary } from "./support/elementwise.ts";

export const maximum = binary(
  "maximum",
  "The larger of a and b per element, broadcast as in numpy; NaN if either is.",
  (x, xAt, xs, y, yAt, ys, o, at, n) => {
    for (let i = 0; i < n; i++) o[at + i] = Math.max(x[xAt + i * xs]!, y[yAt + i * ys]!);
  },
);
