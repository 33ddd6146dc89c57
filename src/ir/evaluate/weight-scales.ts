/** Scales of weights: symmetric, so that a zero stays a zero and no offset is needed; one per output channel, or a unit of those of its blocks. */
import type { Data, Tensor } from "./tensor.ts";

export const scaleMethods = ["max", "mse"] as const;

/** A scale of a block is a multiple of that of its row, 1 to this: four bits. */
export const blockLevels = 16;

/** Scales tried by `mse`, as shares of that of the largest magnitude: below a half, what is cut off always weighs more. */
const shares = Array.from({ length: 26 }, (_, i) => 1 - i * 0.02);

interface ScaleOptions {
  readonly bits: number;
  readonly mse: boolean;
  /** The size of a row where it has one scale. */
  readonly blockSize: number;
}

/**
 * A scale for each row. The least squared error is found by trial, and then by alternating: with the integers fixed, the best
 * scale is sum(w q) / sum(q q). Of a row in blocks it is such that the block with the largest scale has the largest multiple.
 */
export function weightScalesInto(
  w: Tensor,
  { bits, mse, blockSize }: ScaleOptions,
  importance: Data | undefined,
  out: Data,
): void {
  const columns = w.shape[1]!;
  const most = 2 ** (bits - 1) - 1;
  const levels = blockSize < columns ? blockLevels : 1;
  for (let row = 0; row < out.length; row++) {
    let largest = 0;
    for (let at = 0; at < columns; at += blockSize) {
      const values = w.data.subarray(row * columns + at, row * columns + at + blockSize);
      let peak = 0;
      for (let i = 0; i < blockSize; i++) peak = Math.max(peak, Math.abs(values[i]!));
      if (peak === 0) continue;
      const scale = peak / most;
      largest = Math.max(
        largest,
        mse ? bestScale(values, most, scale, importance?.subarray(at, at + blockSize)) : scale,
      );
    }
    // A row of zeros has any scale.
    out[row] = positive(largest === 0 ? 1 : largest / levels);
  }
}

/** As an f32 above zero: that is what devices hold. */
const positive = (scale: number): number => Math.max(Math.fround(scale), 2 ** -126);

function bestScale(row: Data, most: number, whole: number, importance: Data | undefined): number {
  // Read some fifty times, and doubles are what V8 multiplies fastest.
  const w = Float64Array.from(row);
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

/** 1.5 * 2^52, of `roundInto`: a constant of this file is one to the compiler. */
const toInteger = 6755399441055744;

/**
 * The weighted squared error with a scale, and the scale that suits the integers it gives best. Nearly all the time of quantising to 4 bits
 * is spent here, so it rounds as `roundInto` does without a look at whether a number can be rounded: those of a row can, by a scale that
 * comes from the largest of them.
 */
export function fit(
  w: Data,
  most: number,
  scale: number,
  importance: Data | undefined,
): { error: number; fitted: number } {
  const inverse = 1 / scale;
  const lowest = -most - 1;
  let error = 0;
  let wq = 0;
  let qq = 0;
  if (importance)
    for (let i = 0; i < w.length; i++) {
      const x = w[i]!;
      const near = x * inverse + toInteger - toInteger;
      const q = near < lowest ? lowest : near > most ? most : near;
      const weight = importance[i]!;
      const d = x - q * scale;
      error += weight * d * d;
      wq += weight * x * q;
      qq += weight * q * q;
    }
  else
    for (let i = 0; i < w.length; i++) {
      const x = w[i]!;
      const near = x * inverse + toInteger - toInteger;
      const q = near < lowest ? lowest : near > most ? most : near;
      const d = x - q * scale;
      error += d * d;
      wq += x * q;
      qq += q * q;
    }
  return { error, fitted: qq > 0 ? wq / qq : 0 };
}
