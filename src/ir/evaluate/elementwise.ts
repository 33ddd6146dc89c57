/**
 * Elementwise kernels with numpy broadcasting. As in numpy's ufuncs an op brings only its innermost loop: adjacent axes
 * are merged as far as the strides allow, and the loop runs over the longest row that is left. One loop per op keeps each
 * monomorphic, which is worth five times in V8.
 */
import type { Data, Tensor } from "./tensor.ts";

/** `o[at + i] = f(x[xAt + i * xStep], y[yAt + i * yStep])` for i in 0..n. Steps are 0 (repeated) or 1, mostly. */
export type BinaryRow = (
  x: Data,
  xAt: number,
  xStep: number,
  y: Data,
  yAt: number,
  yStep: number,
  o: Data,
  at: number,
  n: number,
) => void;

/** Strides of `shape` inside `out`, in elements; 0 along axes that are repeated. Both are row-major. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const strides = new Array<number>(out.length).fill(0);
  let step = 1;
  for (let i = 1; i <= shape.length; i++) {
    const size = shape[shape.length - i]!;
    if (size !== 1) strides[out.length - i] = step;
    step *= size;
  }
  return strides;
}

/** Merges neighbouring axes that every operand walks through as one, and drops axes of size 1. At least one axis is left. */
export function mergeAxes(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
): { sizes: number[]; strides: number[][] } {
  const outSizes: number[] = [];
  const outStrides: number[][] = strides.map(() => []);
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis]!;
    if (size === 1) continue;
    const last = outSizes.length - 1;
    const joins = last >= 0 && strides.every((s, k) => outStrides[k]![last] === s[axis]! * size);
    if (joins) {
      outSizes[last]! *= size;
      strides.forEach((s, k) => {
        outStrides[k]![last] = s[axis]!;
      });
    } else {
      outSizes.push(size);
      strides.forEach((s, k) => {
        outStrides[k]!.push(s[axis]!);
      });
    }
  }
  if (!outSizes.length) {
    outSizes.push(1);
    for (const s of outStrides) s.push(0);
  }
  return { sizes: outSizes, strides: outStrides };
}

/** Calls `row` with the offset of every operand for each position of the outer axes, last axis excluded. */
export function eachRow(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  row: (offsets: readonly number[]) => void,
): void {
  const outer = sizes.length - 1;
  if (sizes.some((s) => s === 0)) return;
  const index = new Array<number>(outer).fill(0);
  const offsets = new Array<number>(strides.length).fill(0);
  for (;;) {
    row(offsets);
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      for (let k = 0; k < strides.length; k++) offsets[k]! += strides[k]![axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      for (let k = 0; k < strides.length; k++) offsets[k]! -= strides[k]![axis]! * sizes[axis]!;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

export function binaryInto(a: Tensor, b: Tensor, out: Tensor, row: BinaryRow): void {
  const strides = [a, b, out].map((t) => broadcastStrides(t.shape, out.shape));
  const merged = mergeAxes(out.shape, strides);
  const n = merged.sizes.at(-1)!;
  const [as, bs] = merged.strides.map((s) => s.at(-1)!) as [number, number, number];
  eachRow(merged.sizes, merged.strides, ([x, y, o]) => row(a.data, x!, as, b.data, y!, bs, out.data, o!, n));
}

/** `out = cond ? a : b`, all three broadcast. */
export function selectInto(cond: Tensor, a: Tensor, b: Tensor, out: Tensor): void {
  const strides = [cond, a, b, out].map((t) => broadcastStrides(t.shape, out.shape));
  const merged = mergeAxes(out.shape, strides);
  const n = merged.sizes.at(-1)!;
  const [cs, as, bs] = merged.strides.map((s) => s.at(-1)!) as [number, number, number, number];
  const [c, x, y, o] = [cond.data, a.data, b.data, out.data];
  eachRow(merged.sizes, merged.strides, ([cAt, aAt, bAt, at]) => {
    for (let i = 0; i < n; i++) o[at! + i] = c[cAt! + i * cs] ? x[aAt! + i * as]! : y[bAt! + i * bs]!;
  });
}
