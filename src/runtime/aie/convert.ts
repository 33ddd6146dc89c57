/** Values of the host in the element types and paddings of a kernel's buffers, and back. */

import type { FixedPoint } from "../../codegen/mlir-aie/kernel.ts";
import { eachRun, type Tiling } from "../../codegen/mlir-aie/tiling.ts";
import { HeddleError } from "../../ir/error.ts";
import { quantizeInto } from "../../ir/evaluate/quantize.ts";
import { encodeBf16 } from "../../ir/evaluate/round.ts";

/** What holds a value between steps: f32, i32 or bool. */
export type HostArray = Float32Array | Int32Array | Uint8Array;
export type BufferArray = Float32Array | Uint16Array | Int32Array | Int16Array | Int8Array | Uint8Array;

type Constructor = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => BufferArray;
const arrays: Readonly<Record<string, Constructor & { readonly BYTES_PER_ELEMENT: number }>> = {
  f32: Float32Array,
  // The bits of the upper half of an f32.
  bf16: Uint16Array,
  i32: Int32Array,
  i16: Int16Array,
  i8: Int8Array,
  u8: Uint8Array,
};

/** An array of a buffer's element type over memory. @throws HeddleError where the memory is too short or misaligned for it. */
export function bufferArray(dtype: string, memory: ArrayBufferLike, offset: number, bytes: number): BufferArray {
  const type = arrays[dtype];
  if (!type) throw new HeddleError(`a kernel cannot have buffers of type ${dtype}`);
  const size = type.BYTES_PER_ELEMENT;
  if (bytes % size !== 0 || offset % size !== 0 || offset + bytes > memory.byteLength)
    throw new HeddleError(`bytes ${offset} to ${offset + bytes} of ${memory.byteLength} are no ${dtype} values`);
  return new type(memory, offset, bytes / size);
}

export const bytesPerElement = (dtype: string): number => arrays[dtype]?.BYTES_PER_ELEMENT ?? 0;

const product = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/**
 * The runs of consecutive elements that a value and its padded buffer share: where each starts in both, and its length.
 * One run where the buffer has as many elements as the value.
 */
function* runs(value: readonly number[], buffer: readonly number[]): Generator<[from: number, to: number, n: number]> {
  if (product(value) === product(buffer)) return yield [0, 0, product(value)];
  const row = value.at(-1)!;
  const outer = value.slice(0, -1);
  const index = outer.map(() => 0);
  for (let i = 0, n = product(outer); i < n; i++) {
    const to = index.reduce((at, x, axis) => at * buffer[axis]! + x, 0) * buffer.at(-1)!;
    yield [i * row, to, row];
    for (let axis = outer.length - 1; axis >= 0 && ++index[axis]! === outer[axis]; axis--) index[axis] = 0;
  }
}

/** Floats as bytes in fixed point: one each, or first the high and then the low byte of all, each less 128. */
function fixedBytes(value: HostArray, { dtype, scale, offset }: FixedPoint): Int8Array {
  const range = dtype === "i8" ? ([-128, 127] as const) : ([0, 65535] as const);
  const q = new Int32Array(value.length);
  quantizeInto(value as Float32Array | Int32Array, scale, offset, range, q);
  if (dtype === "i8") return Int8Array.from(q);
  const bytes = new Int8Array(2 * q.length);
  for (const [i, x] of q.entries()) {
    bytes[i] = (x >> 8) - 128;
    bytes[q.length + i] = (x & 255) - 128;
  }
  return bytes;
}

/**
 * Writes a value into its buffer; floats are rounded to nearest, ties to even, and padding stays as it is.
 * @param fixed the fixed point that the buffer has.
 */
export function place(
  value: HostArray,
  shape: readonly number[],
  buffer: BufferArray,
  padded: readonly number[],
  tiling?: Tiling,
  fixed?: FixedPoint,
): void {
  const source = fixed
    ? fixedBytes(value, fixed)
    : buffer instanceof Uint16Array && value instanceof Float32Array
      ? encodeBf16(value)
      : value;
  if (tiling) {
    eachRun(tiling, (at, from, count, step) => {
      for (let i = 0; i < count; i++) buffer[at + i] = source[from + i * step]!;
    });
    return;
  }
  for (const [from, to, n] of runs(shape, padded)) buffer.set(source.subarray(from, from + n), to);
}

/** Reads a value from its buffer. */
export function take(
  buffer: BufferArray,
  padded: readonly number[],
  value: HostArray,
  shape: readonly number[],
  tiling?: Tiling,
): void {
  if (tiling) {
    const out = buffer instanceof Uint16Array ? new Uint32Array(value.buffer, value.byteOffset, value.length) : value;
    const shift = buffer instanceof Uint16Array ? 16 : 0;
    eachRun(tiling, (at, to, count, step) => {
      if (shift) for (let i = 0; i < count; i++) out[to + i * step] = buffer[at + i]! << shift;
      else for (let i = 0; i < count; i++) out[to + i * step] = buffer[at + i]!;
    });
    return;
  }
  if (!(buffer instanceof Uint16Array)) {
    for (const [at, from, n] of runs(shape, padded)) value.set(buffer.subarray(from, from + n), at);
    return;
  }
  const bits = new Uint32Array(value.buffer, value.byteOffset, value.length);
  for (const [at, from, n] of runs(shape, padded)) for (let i = 0; i < n; i++) bits[at + i] = buffer[from + i]! << 16;
}
