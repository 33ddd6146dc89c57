/** Where the values of a model's weights come from: a checkpoint file, or the seeded generator. */
import type { BlockType } from "../ir/type.ts";

/** A weight that a graph asks for: the checkpoint's name and shape. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface WeightSource {
  /** What the manifest says of it: `seeded:0` or a file name. */
  readonly name: string;
  /** Changes whenever the values may have changed; a compile that finds it unchanged need not write weights again. */
  readonly fingerprint: string;
  /** Compares names and shapes before anything is read. @throws HeddleError that lists every misfit. */
  check(wanted: readonly WeightSpec[]): void;
  /**
   * The values of one weight as f32, row-major, in the checkpoint's layout. The caller owns the array.
   * @throws HeddleError where the weight is missing, of another shape or dtype, or has values that are not finite.
   */
  read(name: string, shape: readonly number[]): Float32Array;
  /** Rows `start .. start + count` along the first axis, otherwise as `read`: a large tensor need not be read whole. */
  readRows?(weight: WeightSpec, start: number, count: number): Float32Array;
  /** Where some weights are stored in blocks: their bytes as they are. */
  readonly blocks?: BlockSource;
  close(): void;
}

export interface BlockSource {
  /** How a weight is stored: in blocks, or as f16; undefined where it is stored otherwise, or there is no such weight. */
  typeOf(name: string): BlockType | "f16" | undefined;
  /**
   * Rows `start .. start + count` of a weight of shape [rows, columns] as they are stored. The caller owns the array.
   * @throws HeddleError where the weight is missing, of another shape, or has scales that are not finite.
   */
  read(weight: WeightSpec, start: number, count: number): Uint8Array;
}

export const showSizes = (shape: readonly number[]): string => `[${shape.join("x")}]`;
