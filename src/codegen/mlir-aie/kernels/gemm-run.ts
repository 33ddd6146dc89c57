/**
 * Products that share cores differ in sizes and in what becomes of their sums. What holds for a tile of the result travels with its
 * weights, in the last block of their first chunk, so that nothing of a run is written where a core may be reading.
 */
import type { Body, Buffer, Value } from "../body.ts";
import type { GemmTiles } from "./gemm-shape.ts";

/** Numbers of 7 bits: bf16 has the whole numbers from 128 to 255 exactly, and they lie in its lowest bits. */
const base = 128;
/** Steps of K that two of them count. */
export const mostChunks = base * base - 1;

/** How a tile is computed: steps of K, the kind of the product, whether its rows are measured for their norm. */
export interface TileRun {
  readonly chunks: number | Value;
  readonly kind?: Value;
  readonly measures?: Value | undefined;
}

/** The block's elements for a tile. @param isFirst of its rows: it measures them for the others. */
export function runBlock(g: GemmTiles, isFirst: boolean): number[] {
  const [, kb, nb] = g.block;
  const size = g.type === "i4" ? (kb * nb) / 2 : kb * nb;
  const digits = [g.chunks % base, Math.floor(g.chunks / base), g.kind, isFirst && g.norm ? 1 : 0];
  const offset = g.type === "bf16" ? base : 0;
  return Array.from({ length: size }, (_, i) => (digits[i] ?? 0) + offset);
}

/** Reads the block of a first chunk. */
export function readRun(b: Body, g: GemmTiles, weights: Buffer): TileRun {
  const block = b.index(g.chunkBlocks - 1);
  const digit = (i: number) => {
    const at = g.type === "i4" ? [block, b.index(i)] : [block, b.index(0), b.index(i)];
    const item = b.load(weights, at);
    const bits = g.type === "bf16" ? b.convert("arith.bitcast", item, "i16", "bits") : item;
    const number = b.convert("arith.index_cast", bits, "index", "number");
    return b.op("arith.andi", number, b.index(base - 1), "digit");
  };
  const chunks = b.add(digit(0), b.mul(digit(1), b.index(base)));
  const kind = g.kinds.length > 1 ? { kind: digit(2) } : {};
  if (!g.kinds.some(({ norm }) => norm)) return { chunks, ...kind };
  return { chunks, ...kind, measures: b.compare("arith.cmpi", "eq", digit(3), b.index(1)) };
}

type KeyOf = (g: GemmTiles) => string | undefined;

const asKinds = (g: GemmTiles): GemmTiles[] => g.kinds.map((kind) => ({ ...g, ...kind }));

/** The name of a function that a kind asks for: numbered where the cores have more than one of it. */
export function numbered(name: string, g: GemmTiles, keyOf: KeyOf, of: GemmTiles): string {
  const keys = new Set(asKinds(g).map(keyOf));
  keys.delete(undefined);
  const at = [...keys].indexOf(keyOf(of));
  return at > 0 ? `${name}_${at}` : name;
}

/**
 * Does what the kind of the product asks for. Kinds that ask for the same share its code.
 * @param keyOf names what a kind asks for; undefined is nothing.
 */
export function forKind(b: Body, g: GemmTiles, { kind }: TileRun, keyOf: KeyOf, act: (g: GemmTiles) => void): void {
  const groups = new Map<string | undefined, { readonly of: GemmTiles; readonly kinds: number[] }>();
  for (const [i, of] of asKinds(g).entries()) {
    const group = groups.get(keyOf(of)) ?? { of, kinds: [] };
    groups.set(keyOf(of), group);
    group.kinds.push(i);
  }
  const wanted = [...groups].filter(([key]) => key !== undefined).map(([, group]) => group);
  const write = (at: number): void => {
    const { of, kinds } = wanted[at]!;
    const isLast = at === wanted.length - 1;
    if (isLast && wanted.length === groups.size) {
      act(of);
      return;
    }
    const isOne = kinds
      .map((i) => b.compare("arith.cmpi", "eq", kind!, b.index(i)))
      .reduce((x, y) => b.op("arith.ori", x, y, "any"));
    b.if(isOne, () => act(of), isLast ? undefined : () => write(at + 1));
  };
  if (wanted.length) write(0);
}
