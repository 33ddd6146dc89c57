/** Fixed-point types: `real = (q + offset) * scale`, as QNN writes them. */
import { bitsOf, type DType, showType, type TensorType } from "../../type.ts";

/** Element types of fixed-point activations. */
const fixedPoint: readonly DType[] = ["u16", "u8", "i8"];

/** The least and the largest integer of a type, or of its low `bits` where a container is wider than what it holds. */
export function integerRange(dtype: DType, bits = bitsOf[dtype]): readonly [least: number, most: number] {
  return dtype.startsWith("i") ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

export interface Encoding {
  readonly scale: number;
  readonly offset: number;
}

/** The fixed-point type of the given shape. @throws Error for a type that is none, or a scale that is no positive f32. */
export function fixedType(
  { dtype, scale, offset }: Encoding & { readonly dtype: DType },
  shape: TensorType["shape"],
): TensorType {
  if (!fixedPoint.includes(dtype)) throw new Error(`dtype must be one of ${fixedPoint.join(", ")}, not ${dtype}`);
  needScale("scale", scale);
  const [least, most] = integerRange(dtype);
  if (-offset < least || -offset > most)
    throw new Error(`offset ${offset} puts zero outside ${dtype}: it must be ${-most}..${-least}`);
  return { dtype, shape, quant: { scales: [scale], offsets: [offset] } };
}

/** Devices hold scales in f32: one that is not would mean something else there. */
export function needScale(name: string, scale: number): void {
  if (!(scale > 0) || Math.fround(scale) !== scale)
    throw new Error(`${name} must be a positive number of f32 (Math.fround(${scale})), not ${scale}`);
}

/** The encoding of a fixed-point value. @throws Error for one of another kind. */
export function encodingOf(name: string, t: TensorType): Encoding {
  const { quant } = t;
  if (!quant || quant.axis !== undefined)
    throw new Error(`${name} must be quantised with one scale, not ${showType(t)}; quantize it first`);
  return { scale: quant.scales[0]!, offset: quant.offsets[0]! };
}

/** All have one encoding per tensor, or none of them any. */
export function sameEncoding(types: Readonly<Record<string, TensorType>>): void {
  const [first, ...rest] = Object.values(types);
  if (first!.quant?.axis !== undefined || rest.some((t) => JSON.stringify(t.quant) !== JSON.stringify(first!.quant)))
    throw new Error(
      `encodings differ: ${Object.entries(types)
        .map(([name, t]) => `${name} ${showType(t)}`)
        .join(", ")}; requantize one of them`,
    );
}
