/** Reductions along one axis. Sums are kept in f64 whatever the storage is. */
import type { Tensor } from "./tensor.ts";

/** Calls `line` with the offset of the first element, the step and the length of every line along `axis`. */
function eachLine(
  x: Tensor,
  axis: number,
  line: (first: number, step: number, length: number, index: number) => void,
): void {
  const length = x.shape[axis]!;
  const step = x.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = x.shape.slice(0, axis).reduce((n, d) => n * d, 1);
  for (let o = 0, index = 0; o < outer; o++)
    for (let i = 0; i < step; i++) line(o * length * step + i, step, length, index++);
}

export function reduceSumInto(x: Tensor, axis: number, out: Tensor): void {
  eachLine(x, axis, (first, step, length, index) => {
    let sum = 0;
    for (let i = 0, at = first; i < length; i++, at += step) sum += x.data[at]!;
    out.data[index] = sum;
  });
}

export function reduceMaxInto(x: Tensor, axis: number, out: Tensor): void {
  eachLine(x, axis, (first, step, length, index) => {
    let max = x.data[first]!;
    for (let i = 1, at = first + step; i < length; i++, at += step) {
      const value = x.data[at]!;
      // NaN wins, as in numpy: an error upstream must not vanish in a maximum.
      if (value > max || Number.isNaN(value)) max = value;
    }
    out.data[index] = max;
  });
}
