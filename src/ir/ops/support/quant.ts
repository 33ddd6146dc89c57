/** Fixed-point types: `real = (q + offset) * scale`, as QNN writes them. */
import { bitsOf, type DType, elements, sameDim, showDim, showType, type TensorType } from "../../type.ts";
import { needShape } from "./check.ts";

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

/** Inputs that may share the scale of a block: what Qualcomm's compiler takes, in whole vectors of every instruction set. */
export const blockSizes = [32, 64, 128] as const;

/** Blocks in a row of weights [out, in]. @throws Error for a size that is none of `blockSizes`, or does not divide rows. */
export function blocksOf(w: TensorType, blockSize: number): number {
  if (!blockSizes.includes(blockSize as (typeof blockSizes)[number]))
    throw new Error(`blockSize must be one of ${blockSizes.join(", ")}, not ${blockSize}`);
  const columns = elements([w.shape[1]!]);
  if (columns % blockSize !== 0) throw new Error(`rows of ${columns} do not divide into blocks of ${blockSize}`);
  return columns / blockSize;
}

/** Scales of the blocks of w [out, in]: u8 [out, blocks]. */
export function needBlocks(w: TensorType, scales: TensorType): void {
  const blocks = scales.shape[1];
  if (
    scales.dtype !== "u8" ||
    w.shape.length !== 2 ||
    scales.shape.length !== 2 ||
    !sameDim(scales.shape[0]!, w.shape[0]!)
  )
    throw new Error(`blockScales must be u8 [out, blocks] for w ${showType(w)}, not ${showType(scales)}`);
  blocksOf(w, elements([w.shape[1]!]) / elements([blocks!]));
}

/** The type of a product of integers: x [.., in], w [out, in], scales [out], b [out] -> [.., out], in fixed point or f32. */
export function fixedProduct(
  {
    x,
    w,
    scales,
    b,
  }: {
    readonly x: TensorType;
    readonly w: TensorType;
    readonly scales: TensorType;
    readonly b?: TensorType | undefined;
  },
  to: Encoding & { readonly dtype: DType },
): TensorType {
  encodingOf("x", x);
  const columns = x.shape.at(-1);
  if (w.shape.length !== 2 || columns === undefined || !sameDim(columns, w.shape[1]!))
    throw new Error(
      `w must be [out, in=${columns === undefined ? "?" : showDim(columns)}] for x ${showType(x)}, not ${showType(w)}`,
    );
  if (w.dtype !== "i8" && w.dtype !== "i4") throw new Error(`w must hold i8 or i4, not ${showType(w)}`);
  if (scales.dtype !== "f32") throw new Error(`scales must be f32, not ${showType(scales)}`);
  needShape("scales", scales, "out", w.shape[0]);
  if (b) {
    if (b.dtype !== "i32") throw new Error(`b must be i32, not ${showType(b)}`);
    needShape("b", b, "out", w.shape[0]);
  }
  const shape = [...x.shape.slice(0, -1), w.shape[0]!];
  if (to.dtype !== "f32") return fixedType(to, shape);
  if (to.scale !== 1 || to.offset !== 0) throw new Error("a result in f32 has scale 1 and offset 0");
  return { dtype: "f32", shape };
}
