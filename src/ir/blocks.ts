/**
 * Weights in blocks, the way GGUF files hold them (https://github.com/ggml-org/ggml, ggml-common.h): consecutive elements of
 * a row share scales. The numbers of a block are known only together, so a tensor of such a type can be read whole rows at a
 * time, moved by whole rows, and cast to floats; no op computes one.
 */
import { type BlockType, blockFormats, type DType, showType, type TensorType } from "./type.ts";

export const isBlock = (d: DType): d is BlockType => Object.hasOwn(blockFormats, d);

/** The type of a tensor whose rows are made of blocks. */
export type BlockTensor = TensorType & { readonly dtype: BlockType };
export const hasBlocks = (t: TensorType): t is BlockTensor => isBlock(t.dtype);

/** Bytes of one row, which is the last axis. */
export function rowBytes(t: BlockTensor): number {
  const { elements, bytes } = blockFormats[t.dtype];
  return ((t.shape.at(-1) as number) / elements) * bytes;
}

/** @throws Error where a tensor of a block type is not a matrix, or more, of whole blocks. */
export function needWholeBlocks(t: TensorType): void {
  if (!isBlock(t.dtype)) return;
  const { elements } = blockFormats[t.dtype];
  const columns = t.shape.at(-1);
  if (t.shape.length < 2 || typeof columns !== "number" || columns % elements !== 0)
    throw new Error(`${showType(t)} is not made of blocks: rows of ${t.dtype} are multiples of ${elements} elements`);
}

/** @throws Error where rows of blocks would be taken apart: only along the first axis can they be picked, cut and joined. */
export function needWholeRows(t: TensorType, axis: number): void {
  if (isBlock(t.dtype) && axis !== 0)
    throw new Error(
      `${showType(t)} is stored in blocks, whose rows cannot be taken apart: use axis 0, or cast it to f32`,
    );
}
