/** What a product on the array is, and what a plan of it says: shapes, tiles, and what follows from them. */
import type { Cost } from "../cost.ts";
import { bytesOf, type Element } from "../design.ts";
import type { Group } from "../product.ts";

/** Operands of a product: bf16 or i8 on both sides, or i4 weights, two in a byte, with i8 rows. */
export type ProductType = "bf16" | "i8" | "i4";
/** Element type of the rows. */
export const rowsType = (t: ProductType): "bf16" | "i8" => (t === "i4" ? "i8" : t);

/**
 * Columns of the matrix unit's block whose bias one block of packed weights carries: two rows each, the bf16 and what it leaves
 * over; four with a norm, which wants the columns' sums as well.
 */
export const columnsPerBlock = (s: Pick<GemmShape, "norm">): number => (s.norm ? 2 : 4);

export interface GemmShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly type: ProductType;
  /**
   * Element type of the result: bf16 or f32 of a bf16 product; of one of integers f32, whose scales travel with the weights, i32, or
   * i8.
   */
  readonly out: Element;
  /** Bytes of an element of the rows of an integer product with scales: two are two rows of bytes, 256 h + l. Default 1. */
  readonly rowBytes?: 1 | 2 | undefined;
  /** For a result in i8: sums are divided by 2^shift, rounded to the nearest (ties up) and saturated. From 1 to 30. */
  readonly shift?: number | undefined;
  readonly bias: boolean;
  readonly activation?: "geluTanh" | undefined;
  /** A norm of the rows before the product, whose scale and shift are part of the weights. Only of a bf16 product. */
  readonly norm?: { readonly centred: boolean; readonly eps: number } | undefined;
  /**
   * What sums are held in between two steps of K: f32, or bf16 as in arXiv 2512.13282, which rounds them once a step, but leaves
   * room for larger tiles. Products of i8 have i32.
   */
  readonly sums?: "f32" | "bf16" | undefined;
}

/** Whether sums of integers become floats: scales, and what sums start with, travel with the weights. */
export const isScaled = (s: Pick<GemmShape, "type" | "out">): boolean => s.type !== "bf16" && s.out === "f32";

/**
 * Parts of a tile's rows whose sums leave where they lie, each as soon as its last step of K is done, while the others' last steps and
 * the next tile's first ones are worked on. 1: all rows at once, or in strips of their own.
 */
export const partsOf = (g: Pick<GemmTiles, "inPlace" | "rows" | "strip">): number => (g.inPlace ? g.rows / g.strip : 1);

/** Element type in which results leave a core: floats that take the place of sums are the bits of integers. */
export const leavesAs = (g: Pick<GemmTiles, "type" | "out" | "inPlace">): Element =>
  g.inPlace && isScaled(g) ? "i32" : g.out;

/** Numbers that every column of a product with scales has: what its sums start with, for either byte of the rows, and its scale. */
export const numbersPerColumn = ({ rowBytes = 1 }: Pick<GemmShape, "rowBytes">): number => rowBytes + 1;

/** Bytes of a block of packed weights. */
export const blockBytes = (type: ProductType, [, kb, nb]: readonly [number, number, number]): number =>
  (kb * nb * bytesOf[rowsType(type)]) / (type === "i4" ? 2 : 1);

/** Blocks in which the numbers of a block of columns travel. */
export const blocksOfNumbers = (s: GemmShape, block: readonly [number, number, number]): number =>
  Math.ceil((4 * numbersPerColumn(s) * block[2]) / blockBytes(s.type, block));

/** What becomes of the sums of a product besides its type: what products that share cores may differ in. */
export interface GemmKind {
  readonly bias: boolean;
  readonly activation: GemmShape["activation"];
  readonly norm: GemmShape["norm"];
  /** Elements of a row, which a norm counts. */
  readonly k: number;
}
export const kindOf = ({ bias, activation, norm, k }: GemmShape): GemmKind => ({ bias, activation, norm, k });

/** Blocks of a chunk of packed weights behind those of the weights: bias, sums of columns, or numbers of a product with scales. */
export function blocksBeside(s: GemmShape, block: readonly [number, number, number], columns: number): number {
  if (isScaled(s)) return (columns / block[2]) * blocksOfNumbers(s, block) + 1;
  return s.bias || s.norm ? Math.ceil(columns / block[2] / columnsPerBlock(s)) : 0;
}

export interface GemmTiles extends GemmShape {
  /** Kinds of the products that share the cores, and which of them this is: they have all else in common but their sizes. */
  readonly kinds: readonly GemmKind[];
  readonly kind: number;
  /** Whether a tile's first chunk of weights says what to do with it (`gemm-run.ts`): a product alone is known to its cores. */
  readonly isShared: boolean;
  readonly mapping: "grid" | "skinny";
  readonly accumulator: "f32" | "bf16" | "i32";
  /** The block of the matrix unit: m, k, n. */
  readonly block: readonly [number, number, number];
  /** What one core works on at a time. */
  readonly tile: { readonly m: number; readonly k: number; readonly n: number };
  /** Rows of the result in a tile: fewer than those of A where elements of A are two bytes. */
  readonly rows: number;
  /** Parts of the tile's rows in which A comes: a core holds two of them, and more depth in their place. */
  readonly pieces: number;
  /** Blocks of the result whose sums are in registers at a time. */
  readonly group: Group;
  /** Tiles of sums that a core has room for where they leave as they are: with two, one leaves while the next is worked on. 0: they do not. */
  readonly inPlace: 0 | 1 | 2;
  /** Rows of the tile that leave a core at a time; where its sums do, fewer than all are parts that are released as they are finished. */
  readonly strip: number;
  /** Streams in which the results of a column leave its memory tile, each of some of its cores. */
  readonly halves: number;
  /** Steps of K, and tiles of C that a core computes one after the other. */
  readonly chunks: number;
  readonly tiles: number;
  /** How often memory tiles send a panel of A, and a column's B, that they hold: more than once instead of reading it again. */
  readonly sends: Sends;
  /** Blocks of the whole array along M and N. */
  readonly across: { readonly m: number; readonly n: number };
  /** Columns of A that the memory tile holds. */
  readonly panel: number;
  readonly padded: { readonly m: number; readonly n: number };
  /** Rows of 8 x nb blocks in one chunk of packed B: weights, what is beside them, and where cores are shared one that says what to do. */
  readonly chunkBlocks: number;
  /** Bytes of what a core and a memory tile take at a time. */
  readonly bytes: Sends;
  readonly objects: Sends;
  /** Objects of either operand that a memory tile holds at a time. */
  readonly depths: Sends;
  readonly memory: { readonly core: number; readonly tile: number };
  readonly cost: Cost;
}

export interface Sends {
  readonly a: number;
  readonly b: number;
}
