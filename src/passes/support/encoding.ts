/** Encodings of activations from the ranges that calibration saw. */

import { type Encoding, integerRange } from "../../ir/ops/support/quant.ts";
import type { DType } from "../../ir/type.ts";

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Sixteen bits have steps to spare: values a little beyond what calibration saw are worth more than finer ones. */
const headroom: Partial<Record<DType, number>> = { u16: 0.1 };

/** Scale and offset with which `dtype` spans a range; zero is always exact. A value that was never anything but zero spans 1. */
export function encodingFor({ min, max }: Range, dtype: DType): Encoding {
  const [least, most] = integerRange(dtype);
  const wider = 1 + (headroom[dtype] ?? 0);
  const [low, high] = [Math.min(0, min * wider), Math.max(0, max * wider)];
  const span = high - low || 1;
  // Up to the next f32, so that both ends still fit.
  const exact = span / (most - least);
  let scale = Math.fround(exact);
  if (scale < exact) scale = Math.fround(exact * (1 + 2 ** -23));
  const zero = Math.max(least, Math.min(most, Math.round(least - low / scale)));
  return { scale: Math.max(scale, 2 ** -126), offset: zero === 0 ? 0 : -zero };
}

/** The encoding with which a type spans a range and its negative, zero in the middle of its integers. */
export function symmetric({ min, max }: Range, dtype: "i8" | "u16"): Encoding {
  const most = (Math.max(-min, max) || 1) * (1 + (headroom[dtype] ?? 0));
  const [least, largest] = integerRange(dtype);
  const middle = (least + largest + 1) / 2;
  return { scale: Math.max(Math.fround(most / (largest - middle)), 2 ** -126), offset: 0 - middle };
}
