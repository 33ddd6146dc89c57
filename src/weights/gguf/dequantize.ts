/**
 * GGUF's blocks as floats, as ggml computes them (ggml-quants.c, dequantize_row_*): every product and difference is rounded
 * to f32. A block of `q4_0`, `q5_0`, `q8_0` is an f16 scale and its 32 numbers; one of the K types holds 8 or 16 groups of
 * numbers whose own scales are integers, times one or two f16 for the whole block.
 */
import { type BlockType, blockFormats } from "../../ir/type.ts";
import { f16ToF32 } from "../half.ts";

/** Writes the elements of the block that starts at byte `b`, whose f16 numbers start at `s`, to `out` from `o` on. */
type Decoder = (bytes: Uint8Array, b: number, f16: Float32Array, s: number, out: Float32Array, o: number) => void;

/** Of each format, where in a block its f16 numbers are. */
export const scalePositions: Readonly<Record<BlockType, readonly number[]>> = {
  q8_0: [0],
  q4_0: [0],
  q5_0: [0],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
};

const q8_0: Decoder = (bytes, b, f16, s, out, o) => {
  const d = f16[s]!;
  for (let i = 0; i < 32; i++) out[o + i] = ((bytes[b + 2 + i]! << 24) >> 24) * d;
};

/** Low halves of the bytes are the first 16 elements, high halves the others. */
const q4_0: Decoder = (bytes, b, f16, s, out, o) => {
  const d = f16[s]!;
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 2 + i]!;
    out[o + i] = ((q & 15) - 8) * d;
    out[o + 16 + i] = ((q >> 4) - 8) * d;
  }
};

/** As q4_0; bit i of a 32-bit word is the fifth bit of element i. */
const q5_0: Decoder = (bytes, b, f16, s, out, o) => {
  const d = f16[s]!;
  const high = bytes[b + 2]! | (bytes[b + 3]! << 8) | (bytes[b + 4]! << 16) | (bytes[b + 5]! << 24);
  for (let i = 0; i < 16; i++) {
    const q = bytes[b + 6 + i]!;
    out[o + i] = (((q & 15) | (((high >>> i) & 1) << 4)) - 16) * d;
    out[o + 16 + i] = (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16) * d;
  }
};

/** Scale and offset of group g, six bits each, in the 12 bytes from `s` on. */
function group(bytes: Uint8Array, s: number, g: number): readonly [scale: number, offset: number] {
  if (g < 4) return [bytes[s + g]! & 63, bytes[s + 4 + g]! & 63];
  const last = bytes[s + 4 + g]!;
  return [(last & 15) | ((bytes[s + g - 4]! >> 6) << 4), (last >> 4) | ((bytes[s + g]! >> 6) << 4)];
}

/** Eight groups of 32: element = scale * q - offset. Without `fifth`, q has four bits. */
const q45_k =
  (fifth: boolean): Decoder =>
  (bytes, b, f16, s, out, o) => {
    const [high, low] = [b + 16, b + (fifth ? 48 : 16)];
    for (let g = 0; g < 8; g++) {
      const [scale, offset] = group(bytes, b + 4, g);
      const d = Math.fround(f16[s]! * scale);
      const m = Math.fround(f16[s + 1]! * offset);
      const shift = 4 * (g & 1);
      for (let i = 0; i < 32; i++) {
        const q = (bytes[low + 32 * (g >> 1) + i]! >> shift) & 15;
        const bit = fifth ? ((bytes[high + i]! >> g) & 1) << 4 : 0;
        out[o + 32 * g + i] = Math.fround(d * (q | bit)) - m;
      }
    }
  };

/** Sixteen groups of 16: four low bits in `ql`, two high bits in `qh`, element = scale * (q - 32). */
const q6_k: Decoder = (bytes, b, f16, s, out, o) => {
  for (let half = 0; half < 2; half++) {
    const [ql, qh, scales] = [b + 64 * half, b + 128 + 32 * half, b + 192 + 8 * half];
    for (let quarter = 0; quarter < 4; quarter++)
      for (let i = 0; i < 32; i++) {
        const scale = (bytes[scales + 2 * quarter + (i >> 4)]! << 24) >> 24;
        const low = (bytes[ql + 32 * (quarter & 1) + i]! >> (4 * (quarter >> 1))) & 15;
        const q = low | (((bytes[qh + i]! >> (2 * quarter)) & 3) << 4);
        out[o + 128 * half + 32 * quarter + i] = Math.fround(f16[s]! * scale) * (q - 32);
      }
  }
};

const decoders: Readonly<Record<BlockType, Decoder>> = {
  ...{ q8_0, q4_0, q5_0, q6_k },
  q4_k: q45_k(false),
  q5_k: q45_k(true),
};

/** All f16 numbers of blocks: of block i, the j-th of n is at i n + j. */
function scalesOf(bytes: Uint8Array, type: BlockType): Float32Array {
  const positions = scalePositions[type];
  const step = blockFormats[type].bytes;
  const bits = new Uint16Array((bytes.length / step) * positions.length);
  for (let b = 0, k = 0; b < bytes.length; b += step)
    for (const p of positions) bits[k++] = bytes[b + p]! | (bytes[b + p + 1]! << 8);
  return f16ToF32(bits);
}

/** The first block with a scale that is no finite number, or -1. */
export function firstBadBlock(bytes: Uint8Array, type: BlockType): number {
  const scales = scalesOf(bytes, type);
  const at = scales.findIndex((x) => !Number.isFinite(x));
  return at < 0 ? -1 : Math.floor(at / scalePositions[type].length);
}

/** Whole blocks as f32. */
export function dequantize(bytes: Uint8Array, type: BlockType, out: Float32Array): void {
  const { elements, bytes: step } = blockFormats[type];
  const scales = scalesOf(bytes, type);
  const each = scalePositions[type].length;
  const decode = decoders[type];
  for (let i = 0; i * step < bytes.length; i++) decode(bytes, i * step, scales, i * each, out, i * elements);
}
