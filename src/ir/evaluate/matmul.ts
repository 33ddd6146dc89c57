/**
 * Matrix product. Sums are kept in f64 whatever the storage is. B is brought to [n, k] so that the inner loop runs over two
 * contiguous rows, and blocks of rows share what they load; a thin A (a vector, a few rows) walks B as it lies instead.
 */
import { broadcastStrides, eachRow } from "./elementwise.ts";
import { transposeMatrix } from "./move.ts";
import type { Data, Tensor } from "./tensor.ts";

/** Rows of A below which transposing B costs more than it brings. */
const thin = 4;

/** out = op(a) op(b) over the last two axes; earlier axes broadcast. */
export function matmulInto(a: Tensor, b: Tensor, out: Tensor, transposeA: boolean, transposeB: boolean): void {
  const [m, n] = out.shape.slice(-2) as [number, number];
  const k = a.shape.at(transposeA ? -2 : -1)!;
  const batch = out.shape.slice(0, -2);
  const matrices = (t: Tensor) => broadcastStrides(t.shape.slice(0, -2), batch);
  const strides = [
    matrices(a).map((s) => s * m * k),
    matrices(b).map((s) => s * k * n),
    matrices(out).map((s) => s * m * n),
  ];
  // B is often shared by neighbouring batches (grouped heads): its transposed copy is kept while the offset stays.
  let packedAt = -1;
  let packed: Data = b.data;
  eachRow([...batch, 1], strides, ([aAt, bAt, at]) => {
    const x = transposeA ? transposeMatrix(a.data, aAt!, k, m) : a.data;
    const xAt = transposeA ? 0 : aAt!;
    if (transposeB) return dotRows(x, xAt, b.data, bAt!, out.data, at!, m, k, n);
    if (m < thin) return addRows(x, xAt, b.data, bAt!, out.data, at!, m, k, n);
    if (packedAt !== bAt) packed = transposeMatrix(b.data, bAt!, k, n);
    packedAt = bAt!;
    dotRows(x, xAt, packed, 0, out.data, at!, m, k, n);
  });
}

/** out[i, j] = dot(a[i, :], b[j, :]): blocks of 4 rows by 2, whose eight sums share six loads, and what is left one by one. */
function dotRows(
  a: Data,
  aAt: number,
  b: Data,
  bAt: number,
  out: Data,
  at: number,
  m: number,
  k: number,
  n: number,
): void {
  const [rows, columns] = [m - (m % 4), n - (n % 2)];
  for (let i = 0; i < rows; i += 4)
    for (let j = 0; j < columns; j += 2) dotBlock(a, aAt + i * k, b, bAt + j * k, out, at + i * n + j, k, n);
  for (let i = 0; i < m; i++)
    for (let j = i < rows ? columns : 0; j < n; j++) out[at + i * n + j] = dot(a, aAt + i * k, b, bAt + j * k, k);
}

function dotBlock(a: Data, a0: number, b: Data, b0: number, out: Data, at: number, k: number, n: number): void {
  const a1 = a0 + k;
  const a2 = a1 + k;
  const a3 = a2 + k;
  const b1 = b0 + k;
  let s00 = 0;
  let s01 = 0;
  let s10 = 0;
  let s11 = 0;
  let s20 = 0;
  let s21 = 0;
  let s30 = 0;
  let s31 = 0;
  for (let p = 0; p < k; p++) {
    const y0 = b[b0 + p]!;
    const y1 = b[b1 + p]!;
    const x0 = a[a0 + p]!;
    const x1 = a[a1 + p]!;
    const x2 = a[a2 + p]!;
    const x3 = a[a3 + p]!;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s20 += x2 * y0;
    s21 += x2 * y1;
    s30 += x3 * y0;
    s31 += x3 * y1;
  }
  out[at] = s00;
  out[at + 1] = s01;
  out[at + n] = s10;
  out[at + n + 1] = s11;
  out[at + 2 * n] = s20;
  out[at + 2 * n + 1] = s21;
  out[at + 3 * n] = s30;
  out[at + 3 * n + 1] = s31;
}

/** Two partial sums, so that the additions do not wait for each other. */
function dot(a: Data, aAt: number, b: Data, bAt: number, k: number): number {
  let even = 0;
  let odd = 0;
  let p = 0;
  for (; p + 2 <= k; p += 2) {
    even += a[aAt + p]! * b[bAt + p]!;
    odd += a[aAt + p + 1]! * b[bAt + p + 1]!;
  }
  return p < k ? even + odd + a[aAt + p]! * b[bAt + p]! : even + odd;
}

/** out[i, :] = sum over p of a[i, p] * b[p, :], with b as it lies. */
function addRows(
  a: Data,
  aAt: number,
  b: Data,
  bAt: number,
  out: Data,
  at: number,
  m: number,
  k: number,
  n: number,
): void {
  const sum = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    sum.fill(0);
    for (let p = 0; p < k; p++) {
      const x = a[aAt + i * k + p]!;
      const row = bAt + p * n;
      for (let j = 0; j < n; j++) sum[j]! += x * b[row + j]!;
    }
    out.set(sum, at + i * n);
  }
}
