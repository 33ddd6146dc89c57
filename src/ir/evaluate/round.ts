/**
 * Rounding to the narrow float types, to nearest even as IEEE 754 asks. Values stay in f32 or f64 storage: the result is the
 * number that the narrow type would hold. `encodeF16` and `encodeBf16` give the bits for files.
 */
import type { DType } from "../type.ts";
import type { Data } from "./tensor.ts";

interface Format {
  /** Bits of the fraction that f32 has and the format has not. */
  readonly drop: number;
  /** Bits of the fraction, the leading 1 not counted. */
  readonly fraction: number;
  /** Exponent of the smallest normal number. */
  readonly least: number;
  /** Numbers from here on become infinite: the largest number plus half a unit in its last place. */
  readonly overflow: number;
}
const formats: Partial<Record<DType, Format>> = {
  f16: { drop: 13, fraction: 10, least: -14, overflow: 65520 },
  bf16: { drop: 16, fraction: 7, least: -126, overflow: (2 - 2 ** -8) * 2 ** 127 },
};

/** Rounds in place to what `dtype` can hold; nothing happens for types that are not narrower than the storage. */
export function roundTo(data: Data, dtype: DType): void {
  const format = formats[dtype];
  if (!format || data instanceof Int32Array) return;
  if (data instanceof Float32Array) roundF32(data, format);
  else for (let i = 0; i < data.length; i++) data[i] = roundNumber(data[i]!, format);
}

/**
 * On the bits: adding half a unit (less one where the number is even) carries into the exponent as rounding should. Signed
 * words, because V8 keeps those out of floating point.
 */
function roundF32(data: Float32Array, { drop, least, overflow }: Format): void {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const half = (1 << (drop - 1)) - 1;
  const keep = -1 << drop;
  const smallest = 2 ** least;
  const [normal, infinite] = [bitsOfF32(smallest), bitsOfF32(overflow)];
  // Below the smallest normal number the unit is fixed: adding and subtracting 2^23 units rounds to it, in f32 itself.
  const units = Math.fround(smallest * 2 ** drop);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    const size = b & 0x7fffffff;
    if (size >= normal && size < infinite) bits[i] = (b + half + ((b >>> drop) & 1)) & keep;
    else if (size < normal) {
      const rounded = Math.fround(Math.fround(Math.abs(data[i]!) + units) - units);
      data[i] = b < 0 ? -rounded : rounded;
    } else if (size <= infinity) data[i] = b < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
}

/** The bits of infinity; larger ones are NaN. */
const infinity = 0x7f800000;
const bitsOfF32 = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;

const exponentOf = (() => {
  const double = new Float64Array(1);
  const words = new Uint32Array(double.buffer);
  return (x: number): number => {
    double[0] = x;
    return ((words[1]! >>> 20) & 0x7ff) - 1023;
  };
})();

/** 1.5 * 2^52: adding and subtracting it rounds a double to an integer, to nearest even. */
const toInteger = 6755399441055744;

function roundNumber(x: number, { fraction, least, overflow }: Format): number {
  if (!Number.isFinite(x)) return x;
  if (Math.abs(x) >= overflow) return x < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const unit = 2 ** (Math.max(exponentOf(x), least) - fraction);
  const rounded = (x / unit + toInteger - toInteger) * unit;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

/** IEEE binary16 bits of f32 values, rounded to nearest even. `data` is left as it is. */
export function encodeF16(data: Float32Array): Uint16Array {
  const out = new Uint16Array(data.length);
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  const [normal, infinite] = [bitsOfF32(2 ** -14), bitsOfF32(65520)];
  for (let i = 0; i < out.length; i++) {
    const b = bits[i]!;
    const sign = (b >>> 16) & 0x8000;
    const size = b & 0x7fffffff;
    // A normal number: rebase the exponent from 127 to 15 and round; a carry out of the fraction raises the exponent.
    if (size >= normal && size < infinite) out[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
    else if (size < normal) out[i] = sign | (Math.abs(data[i]!) * 2 ** 24 + toInteger - toInteger);
    else out[i] = sign | (size <= infinity ? 0x7c00 : 0x7e00);
  }
  return out;
}

/** bfloat16 bits of f32 values, rounded to nearest even: the upper half of an f32. */
export function encodeBf16(data: Float32Array): Uint16Array {
  const out = new Uint16Array(data.length);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < out.length; i++) {
    const b = bits[i]!;
    out[i] = Number.isNaN(data[i]!) ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return out;
}
