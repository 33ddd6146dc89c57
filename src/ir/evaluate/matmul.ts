/**
 * Matrix product. Sums are kept in f64 whatever the storage is. B is brought to [n, k] so that the inner loop runs over two
 * contiguous rows, and four rows of A share each row of B; a thin A (a vector, a few rows) walks B as it lies instead.
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

/** out[i, j] = dot(a[i, :], b[j, :]), four rows of a at a time. */
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
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const a0 = aAt + i * k;
    const a1 = a0 + k;
    const a2 = a1 + k;
    const a3 = a2 + k;
    const o = at + i * n;
    for (let j = 0; j < n; j++) {
      const row = bAt + j * k;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let p = 0; p < k; p++) {
        const y = b[row + p]!;
        s0 += a[a0 + p]! * y;
        s1 += a[a1 + p]! * y;
        s2 += a[a2 + p]! * y;
        s3 += a[a3 + p]! * y;
      }
      out[o + j] = s0;
      out[o + n + j] = s1;
      out[o + 2 * n + j] = s2;
      out[o + 3 * n + j] = s3;
    }
  }
  for (; i < m; i++) {
    const row = aAt + i * k;
    for (let j = 0; j < n; j++) {
      const col = bAt + j * k;
      // Independent partial sums, so that the additions do not wait for each other.
      let s0 = 0;
      let s1 = 0;
      let p = 0;
      for (; p + 2 <= k; p += 2) {
        s0 += a[row + p]! * b[col + p]!;
        s1 += a[row + p + 1]! * b[col + p + 1]!;
      }
      if (p < k) s0 += a[row + p]! * b[col + p]!;
      out[at + i * n + j] = s0 + s1;
    }
  }
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
