/**
 * Fixed-point arithmetic, as every backend of ours must do it, bit for bit. Two rules cover all of it: numbers are rounded to
 * the nearest integer, halves to the even one, and what lies outside a type saturates. Products are summed exactly in integers;
 * everything else is IEEE double precision in the order that is written here, so that any language gives the same bits.
 */
import type { Data, Tensor } from "./tensor.ts";

/** 1.5 * 2^52: adding and subtracting it rounds a double below 2^51 to an integer, halves to even. */
const toInteger = 6755399441055744;
/** Larger ones are far outside every type, and saturate all the same. */
const largest = 2 ** 50;

/** The nearest integer, halves to even; saturated to `least .. most`. NaN counts as 0. */
export function roundInto(x: number, least: number, most: number): number {
  if (!(x > -largest)) return Number.isNaN(x) ? 0 : least;
  if (x > largest) return most;
  const q = x + toInteger - toInteger;
  return q < least ? least : q > most ? most : q;
}

/** q = round(x / scale) - offset. */
export function quantizeInto(
  x: Data,
  scale: number,
  offset: number,
  [least, most]: readonly [number, number],
  o: Data,
) {
  for (let i = 0; i < o.length; i++) o[i] = roundInto(x[i]! / scale, least + offset, most + offset) - offset;
}

/** x = (q + offset) * scale. */
export function dequantizeInto(q: Data, scale: number, offset: number, o: Data): void {
  for (let i = 0; i < o.length; i++) o[i] = (q[i]! + offset) * scale;
}

/** Another encoding of the same values: round((q + offset) * (from / to)) - offset. */
export function requantizeInto(
  q: Data,
  from: { readonly scale: number; readonly offset: number },
  to: { readonly scale: number; readonly offset: number },
  [least, most]: readonly [number, number],
  o: Data,
): void {
  const factor = from.scale / to.scale;
  for (let i = 0; i < o.length; i++)
    o[i] = roundInto((q[i]! + from.offset) * factor, least + to.offset, most + to.offset) - to.offset;
}

/**
 * y = x w^T + b: acc = sum (x + xOffset) w + b, exactly; q = round(acc * ((xScale * wScale) / yScale)) - yOffset.
 * x [rows, k], w [n, k], scales and bias [n]. A sum stays below 2^53 as long as k does below 2^30.
 */
export function quantizedLinearInto(
  x: Tensor,
  w: Tensor,
  scales: Data,
  bias: Data | undefined,
  from: { readonly scale: number; readonly offset: number },
  to: { readonly scale: number; readonly offset: number },
  [least, most]: readonly [number, number],
  out: Tensor,
): void {
  const factors = Float64Array.from(scales, (s) => (from.scale * s) / to.scale);
  const [low, high] = [least + to.offset, most + to.offset];
  eachSum(x, w, bias, from.offset, (acc, j, at) => {
    out.data[at] = roundInto(acc * factors[j]!, low, high) - to.offset;
  });
}

/**
 * The same in floats: y = acc * (xScale * wScale), each of the three rounded to f32 and nothing else, which is what a core without
 * f64 can do.
 */
export function scaledLinearInto(
  x: Tensor,
  w: Tensor,
  scales: Data,
  bias: Data | undefined,
  from: { readonly scale: number; readonly offset: number },
  out: Tensor,
): void {
  const factors = Float32Array.from(scales, (s) => from.scale * s);
  eachSum(x, w, bias, from.offset, (acc, j, at) => {
    out.data[at] = Math.fround(Math.fround(acc) * factors[j]!);
  });
}

/** Calls back with every sum of products, its column and its place in the result. */
function eachSum(
  x: Tensor,
  w: Tensor,
  bias: Data | undefined,
  offset: number,
  done: (acc: number, column: number, at: number) => void,
): void {
  const [n, k] = w.shape as [number, number];
  const rows = x.data.length / k;
  // Doubles: exact like integers here, and what V8 multiplies fastest.
  const row = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    for (let p = 0; p < k; p++) row[p] = x.data[i * k + p]! + offset;
    for (let j = 0; j < n; j++) {
      let acc = bias ? bias[j]! : 0;
      const at = j * k;
      for (let p = 0; p < k; p++) acc += row[p]! * w.data[at + p]!;
      done(acc, j, i * n + j);
    }
  }
}
