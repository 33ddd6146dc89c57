/** What kernels of `linear` are held against: sums in f64 of the operands as the kernel rounds them. */
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { encodeBf16 } from "../../../src/ir/evaluate/round.ts";

const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** x [m, k] times w [n, k], and what the shape says comes behind. */
export function expected(
  s: GemmShape,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b: ArrayLike<number> | undefined,
): Float64Array {
  const rounded = (v: ArrayLike<number>) =>
    s.type === "bf16" ? new Float32Array(Uint32Array.from(encodeBf16(Float32Array.from(v)), (h) => h << 16).buffer) : v;
  const [xs, ws] = [rounded(x), rounded(w)];
  const out = new Float64Array(s.m * s.n);
  for (let i = 0; i < s.m; i++)
    for (let j = 0; j < s.n; j++) {
      let sum = b ? b[j]! : 0;
      for (let t = 0; t < s.k; t++) sum += xs[i * s.k + t]! * ws[j * s.k + t]!;
      out[i * s.n + j] = s.activation ? geluTanh(sum) : sum;
    }
  return out;
}

/** Values within 1 as integers within `most`. */
export const whole = (t: { readonly shape: readonly number[]; readonly data: Float32Array }, most: number) => ({
  shape: t.shape,
  data: Int32Array.from(t.data, (f) => Math.round(f * most)),
});
