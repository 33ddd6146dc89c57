/** Scales of weights: one per output channel, symmetric, so that a zero stays a zero and no offset is needed. */
import { roundInto } from "./quantize.ts";
import type { Data, Tensor } from "./tensor.ts";

export const scaleMethods = ["max", "mse"] as const;

/** Scales tried by `mse`, as shares of that of the largest magnitude: below a half, what is cut off always weighs more. */
const shares = Array.from({ length: 26 }, (_, i) => 1 - i * 0.02);

/**
 * A scale for each row. The least squared error is found by trial, and then by alternating: with the integers fixed, the best
 * scale is sum(w q) / sum(q q).
 */
export function weightScalesInto(w: Tensor, bits: number, mse: boolean, importance: Data | undefined, out: Data): void {
  const columns = w.shape[1]!;
  const most = 2 ** (bits - 1) - 1;
  for (let row = 0; row < out.length; row++) {
    const values = w.data.subarray(row * columns, (row + 1) * columns);
    let peak = 0;
    for (let i = 0; i < columns; i++) peak = Math.max(peak, Math.abs(values[i]!));
    // A row of zeros has any scale.
    const whole = peak === 0 ? 1 : peak / most;
    out[row] = positive(mse && peak > 0 ? bestScale(values, most, whole, importance) : whole);
  }
}

/** As an f32 above zero: that is what devices hold. */
const positive = (scale: number): number => Math.max(Math.fround(scale), 2 ** -126);

function bestScale(w: Data, most: number, whole: number, importance: Data | undefined): number {
  let best = whole;
  let least = Number.POSITIVE_INFINITY;
  const consider = (scale: number): number => {
    const { error, fitted } = fit(w, most, scale, importance);
    if (error < least) [best, least] = [scale, error];
    return fitted;
  };
  for (const share of shares) {
    const fitted = consider(whole * share);
    if (fitted > 0) consider(fitted);
  }
  return best;
}

/** The weighted squared error with a scale, and the scale that suits the integers it gives best. */
function fit(w: Data, most: number, scale: number, importance: Data | undefined): { error: number; fitted: number } {
  const inverse = 1 / scale;
  let [error, wq, qq] = [0, 0, 0];
  for (let i = 0; i < w.length; i++) {
    const x = w[i]!;
    const q = roundInto(x * inverse, -most - 1, most);
    const weight = importance ? importance[i]! : 1;
    const d = x - q * scale;
    error += weight * d * d;
    wq += weight * x * q;
    qq += weight * q * q;
  }
  return { error, fitted: qq > 0 ? wq / qq : 0 };
}
