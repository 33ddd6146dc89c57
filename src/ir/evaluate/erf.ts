/**
 * The error function in double precision. Near zero the series erf(x) = 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!,
 * whose terms are all of one sign; further out the continued fraction of erfc (Abramowitz and Stegun 7.1.6 and 7.1.14),
 * evaluated from its tail. Both are within a few ulp of the exact value.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (a > 6) return Math.sign(x);
  const factor = Math.exp(-a * a) / Math.sqrt(Math.PI);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * 2 * factor * sum;
  }
  let tail = a;
  for (let n = 60; n >= 1; n--) tail = a + n / 2 / tail;
  return Math.sign(x) * (1 - factor / tail);
}
