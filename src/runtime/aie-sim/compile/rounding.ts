/** Rounding of floats to bfloat16. The hardware rounds down unless its control register says to the nearest even. */

export type Rounding = "nearest-even" | "floor";

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The bits of a float, rounded to those of a bf16 in their upper half; a NaN stays one. */
const nearestBits = (u: number): number =>
  (u & 0x7fffffff) > 0x7f800000 ? (u | 0x400000) & 0xffff0000 : (u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000;

/** Towards minus infinity: the next value away from zero for what is negative and not exact. */
const floorBits = (u: number): number =>
  (u & 0x7fffffff) > 0x7f800000
    ? (u | 0x400000) & 0xffff0000
    : u >>> 31 && u & 0xffff && (u & 0x7fffffff) < 0x7f800000
      ? (u + 0x10000) & 0xffff0000
      : u & 0xffff0000;

export interface Rounder {
  /** A number as the nearest f32 and then as a bf16. */
  one(x: number): number;
  /** All lanes of a vector of f32, given as their bits. */
  all(lanes: Uint32Array): void;
}

export function rounder(rounding: Rounding): Rounder {
  const round = rounding === "floor" ? floorBits : nearestBits;
  return {
    one(x) {
      single[0] = x;
      bits[0] = round(bits[0]!);
      return single[0]!;
    },
    all(lanes) {
      for (let i = 0; i < lanes.length; i++) lanes[i] = round(lanes[i]!);
    },
  };
}
