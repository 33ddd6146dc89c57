/**
 * How a tensor lies in a buffer of a kernel: padded with zeros, every axis split into factors, the factors in another order. One
 * form for rows of activations, heads, and weights that are packed in the order in which cores want them.
 */
import { bytesOf, type Element } from "./design.ts";

export interface Tiling {
  /** The tensor, row-major. */
  readonly shape: readonly number[];
  /** Factors of every axis, outermost first; their product is the axis's size with padding. */
  readonly split: readonly (readonly number[])[];
  /** The buffer's axes, outermost first: indices into all factors in a row. */
  readonly order: readonly number[];
}

/** A buffer of a kernel. */
export type Packed = Uint16Array | Float32Array | Int8Array | Int32Array;
export type Values = Float32Array | Float64Array | Int8Array | Int32Array;

/** A matrix whose rows and columns are padded. */
export const rows = (r: number, c: number, paddedRows: number, paddedColumns: number): Tiling => ({
  shape: [r, c],
  split: [[paddedRows], [paddedColumns]],
  order: [0, 1],
});

export const sizeOfTiling = (t: Tiling): number => t.split.flat().reduce((a, b) => a * b, 1);

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The bits of the nearest bf16; ties go to the even one. */
export function toBf16(x: number): number {
  scratch[0] = x;
  const bits = scratchBits[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBf16(bits: number): number {
  scratchBits[0] = bits << 16;
  return scratch[0]!;
}

export function buffer(of: Element, length: number): Packed {
  if (of === "bf16") return new Uint16Array(length);
  if (of === "f32") return new Float32Array(length);
  return bytesOf[of] === 1 ? new Int8Array(length) : new Int32Array(length);
}

/** Calls back with every place of the buffer and the place of the tensor that belongs there, or -1 for padding. */
export function eachPlace(t: Tiling, visit: (place: number, source: number) => void): void {
  // Of every factor: its axis and what one step means along it.
  const factors = t.split.flatMap((parts, axis) =>
    parts.map((size, i) => ({ axis, size, weight: parts.slice(i + 1).reduce((a, b) => a * b, 1) })),
  );
  const ordered = t.order.map((f) => factors[f]!);
  const strides = t.shape.map((_, axis) => t.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = t.shape.map(() => 0);
  let place = 0;
  const walk = (depth: number): void => {
    const { axis, size, weight } = ordered[depth]!;
    const start = at[axis]!;
    for (let i = 0; i < size; i++, at[axis]! += weight) {
      if (depth < ordered.length - 1) walk(depth + 1);
      else {
        let source = 0;
        for (let a = 0; a < at.length && source >= 0; a++)
          source = at[a]! < t.shape[a]! ? source + at[a]! * strides[a]! : -1;
        visit(place++, source);
      }
    }
    at[axis] = start;
  };
  walk(0);
}

/** The tensor as the buffer holds it. */
export function pack(values: Values, t: Tiling, of: Element, into?: Packed): Packed {
  const out = into ?? buffer(of, sizeOfTiling(t));
  const convert = of === "bf16" ? toBf16 : (x: number) => x;
  eachPlace(t, (place, source) => {
    out[place] = source < 0 ? 0 : convert(values[source]!);
  });
  return out;
}

/** The tensor that a buffer holds, without its padding. */
export function unpack(buffer: Packed, t: Tiling): Float32Array {
  const out = new Float32Array(t.shape.reduce((a, b) => a * b, 1));
  const convert = buffer instanceof Uint16Array ? fromBf16 : (x: number) => x;
  eachPlace(t, (place, source) => {
    if (source >= 0) out[source] = convert(buffer[place]!);
  });
  return out;
}
