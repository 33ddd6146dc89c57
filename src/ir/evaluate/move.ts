/** Kernels that only move data: transpose, slice, concat, gather, cache writes. */
import { eachRow, mergeAxes } from "./elementwise.ts";
import type { Data, Tensor } from "./tensor.ts";

/** Side of the square tiles of a transpose: two tiles of f64 fit the smallest first-level cache. */
const tile = 32;

const like = (data: Data, n: number): Data =>
  data instanceof Float32Array
    ? new Float32Array(n)
    : data instanceof Float64Array
      ? new Float64Array(n)
      : new Int32Array(n);

export const rowMajor = (shape: readonly number[]): number[] => {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis]!, axis--) strides[axis] = step;
  return strides;
};

/** The matrix [rows, columns] at `at` as a new contiguous [columns, rows]. */
export function transposeMatrix(x: Data, at: number, rows: number, columns: number): Data {
  const out = like(x, rows * columns);
  transposeTiles(x, at, columns, out, 0, rows, rows, columns);
  return out;
}

/** out[c * outStep + r] = x[r * step + c], tile by tile so that both sides stay in cache. */
function transposeTiles(
  x: Data,
  xAt: number,
  step: number,
  out: Data,
  at: number,
  outStep: number,
  rows: number,
  columns: number,
): void {
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let c = c0; c < c1; c++) {
        const o = at + c * outStep;
        for (let r = r0; r < r1; r++) out[o + r] = x[xAt + r * step + c]!;
      }
    }
  }
}

export function transposeInto(x: Tensor, perm: readonly number[], out: Tensor): void {
  const strides = rowMajor(x.shape);
  const merged = mergeAxes(out.shape, [perm.map((p) => strides[p]!), rowMajor(out.shape)]);
  const [from, to] = merged.strides as [number[], number[]];
  const sizes = merged.sizes;
  const columns = from.findIndex((s, i) => s === 1 && i === from.length - 2);
  if (columns >= 0 && from.length >= 2) {
    // The last two axes swap: a matrix transpose for every position of the others.
    const [width, height] = [sizes[columns]!, sizes[columns + 1]!];
    const outer = (s: readonly number[]) => [...s.slice(0, -2), 0];
    eachRow([...sizes.slice(0, -2), 1], [outer(from), outer(to)], ([a, b]) =>
      transposeTiles(x.data, a!, from[columns + 1]!, out.data, b!, height, height, width),
    );
    return;
  }
  copyRows(x.data, 0, from, out.data, to, sizes);
}

/** Copies a strided block; rows that are contiguous on both sides are copied whole. */
function copyRows(
  x: Data,
  xAt: number,
  from: readonly number[],
  out: Data,
  to: readonly number[],
  sizes: readonly number[],
): void {
  const n = sizes.at(-1)!;
  const step = from.at(-1)!;
  eachRow(sizes, [from, to], ([a, b]) => {
    const start = xAt + a!;
    if (step === 1) out.set(x.subarray(start, start + n), b!);
    else for (let i = 0; i < n; i++) out[b! + i] = x[start + i * step]!;
  });
}

/** x[.., start : start + size, ..] along an axis; `size` is what `out` has there. */
export function sliceInto(x: Tensor, axis: number, start: number, out: Tensor): void {
  const inner = x.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const [whole, part] = [x.shape[axis]! * inner, out.shape[axis]! * inner];
  for (let from = start * inner, to = 0; to < out.data.length; from += whole, to += part)
    out.data.set(x.data.subarray(from, from + part), to);
}

export function concatInto(xs: readonly Tensor[], axis: number, out: Tensor): void {
  const inner = out.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const whole = out.shape[axis]! * inner;
  let at = 0;
  for (const x of xs) {
    const part = x.shape[axis]! * inner;
    for (let from = 0, to = at; from < x.data.length; from += part, to += whole)
      out.data.set(x.data.subarray(from, from + part), to);
    at += part;
  }
}

/** out[.., i.., ..] = data[.., indices[i..], ..]. @throws Error for an index outside the axis. */
export function gatherInto(data: Tensor, indices: Tensor, axis: number, out: Tensor): void {
  const size = data.shape[axis]!;
  const inner = data.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const outer = data.shape.slice(0, axis).reduce((n, d) => n * d, 1);
  let at = 0;
  for (let o = 0; o < outer; o++)
    for (const i of indices.data) {
      if (i < 0 || i >= size)
        throw new Error(
          `index ${i} is outside 0..${size - 1}, the rows of ${data.type.dtype}[${data.shape.join("x")}]`,
        );
      const from = (o * size + i) * inner;
      out.data.set(data.data.subarray(from, from + inner), at);
      at += inner;
    }
}

/** Writes `slice` into `out` (a copy of the cache) at `position` along an axis; what lies beyond its end is dropped. */
export function appendInto(
  cache: Tensor,
  slice: Tensor,
  position: number,
  axis: number,
  isRing: boolean,
  out: Tensor,
): void {
  out.data.set(cache.data);
  const inner = cache.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const [capacity, count] = [cache.shape[axis]!, slice.shape[axis]!];
  if (position < 0) throw new Error(`position ${position} is negative`);
  const start = isRing ? position % capacity : position;
  const kept = Math.min(count, Math.max(0, capacity - start));
  const rest = isRing ? count - kept : 0;
  const outer = cache.shape.slice(0, axis).reduce((n, d) => n * d, 1);
  for (let o = 0; o < outer; o++) {
    const from = o * count * inner;
    const end = from + kept * inner;
    if (kept) out.data.set(slice.data.subarray(from, end), (o * capacity + start) * inner);
    if (rest) out.data.set(slice.data.subarray(end, end + rest * inner), o * capacity * inner);
  }
}
