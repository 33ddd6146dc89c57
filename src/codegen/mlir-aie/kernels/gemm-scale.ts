/**
 * Sums of integers as floats, on the core. It has no conversion from i32, so one is made of bits: a float whose last place is worth
 * 2^e takes an integer into its lower bits by an addition, and gives it back as a float when its own value is subtracted. The bits are
 * part of what sums start with where all sums of a tile's columns are within 2^22, which their weights tell when they are packed; others
 * are cut in pieces of 16 bits first. Either way a sum becomes a float, rounded once; that times the column's scale is the result, bit
 * for bit what `quantizedLinear` with a result in f32 says.
 */
import { type Body, type Value, vec } from "../body.ts";
import { type Local, mem } from "../design.ts";
import { blockBytes, blocksOfNumbers, type GemmTiles, leavesAs, numbersPerColumn, partsOf } from "./gemm-shape.ts";
import { f32x16 } from "./math.ts";

const lanes = 16;
const i32x16 = vec("i32", lanes);

/** Largest magnitude of a sum that the lower bits of one float hold. */
export const smallSum = 2 ** 22;

/** The float that such sums are added to, for either byte of the rows: the high ones are worth 2^8. */
const around = (rowBytes: 1 | 2): readonly number[] =>
  rowBytes === 2 ? [1.5 * 2 ** 31, 1.5 * 2 ** 23] : [1.5 * 2 ** 23];
const bitsOf = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;
/** Its bits: what small sums start with beside their own start, for either byte of the rows. */
export const startBits = (rowBytes: 1 | 2): readonly number[] => around(rowBytes).map(bitsOf);

/**
 * starts [blocks of columns, bytes of an element, mb, nb]: a block of sums. scales [blocks of columns + 1, copies, nb]: as often as 16
 * lanes hold them, and behind the last whether sums are small.
 */
export function columnNumbers({ tile, block, rowBytes = 1 }: Pick<GemmTiles, "tile" | "block" | "rowBytes">): Local[] {
  const [mb, , nb] = block;
  return [
    { name: "starts", type: mem("i32", tile.n / nb, rowBytes, mb, nb) },
    { name: "scales", type: mem("i32", tile.n / nb + 1, lanes / nb, nb) },
  ];
}

/** Of rows of two bytes whose results leave in parts: the sums of low bytes, a buffer for each part. Those of high ones become results. */
export function lowSums(g: GemmTiles): Local[] {
  const [mb, , nb] = g.block;
  const type = mem("i32", (g.strip / mb) * (g.tile.n / nb), mb, nb);
  const count = g.rowBytes === 2 && partsOf(g) > 1 ? partsOf(g) : 0;
  return Array.from({ length: count }, (_, part) => ({ name: lowSum(part), type }));
}
export const lowSum = (part: number): string => `low_${part}`;

/** The numbers of the columns, from the end of a chunk of weights. */
export function readNumbers(b: Body, g: GemmTiles): void {
  const [mb, kb, nb] = g.block;
  const cols = g.tile.n / nb;
  const [start, blocks, size] = [(g.tile.k / kb) * cols, blocksOfNumbers(g, g.block), blockBytes(g.type, g.block)];
  const numbers = (first: Value, at: number): Value => {
    const block = b.add(first, b.index(Math.floor(at / size)));
    // Blocks of i4 are rows of bytes, others matrices of them.
    const bytes =
      g.type === "i4"
        ? b.read(b.local("weights"), [block, b.index(at % size)], vec("i8", 4 * nb), "bytes")
        : b.read(b.local("weights"), [block, b.index((at % size) / nb), b.index(0)], vec("i8", 4, nb), "bytes");
    return b.convert("vector.bitcast", b.shape(bytes, vec("i8", 4 * nb)), vec("i32", nb), "row");
  };
  b.for(
    cols,
    (j) => {
      const first = b.add(b.mul(j, b.index(blocks)), b.index(start));
      for (let number = 0; number < numbersPerColumn(g); number++) {
        const row = numbers(first, number * 4 * nb);
        const isScale = number === numbersPerColumn(g) - 1;
        for (let copy = 0; copy < (isScale ? lanes / nb : mb); copy++)
          if (isScale) b.write(row, b.local("scales"), [j, b.index(copy), b.index(0)]);
          else b.write(row, b.local("starts"), [j, b.index(number), b.index(copy), b.index(0)]);
      }
    },
    { hint: "j" },
  );
  const small = numbers(b.index(start + cols * blocks), 0);
  b.write(small, b.local("scales"), [b.index(cols), b.index(0), b.index(0)]);
}

/** Whether the sums of the tile's columns are small. */
export const areSmall = (b: Body, g: GemmTiles, scales: Parameters<Body["load"]>[0]): Value =>
  b.compare("arith.cmpi", "ne", b.load(scales, [b.index(g.tile.n / g.block[2]), b.index(0), b.index(0)]), b.i32(0));

/**
 * What a block of sums starts with.
 * @param row block of the tile's rows, those of high bytes before those of low ones. @param byte which of them, where that is known.
 */
export function startOf(b: Body, g: GemmTiles, row: Value, col: Value, byte = byteOf(b, g, row)): Value {
  const [mb, , nb] = g.block;
  return b.read(b.local("starts"), [col, byte, b.index(0), b.index(0)], vec("i32", mb, nb), "start");
}

const byteOf = (b: Body, g: GemmTiles, row: Value): Value =>
  g.rowBytes === 2
    ? b.select(b.compare("arith.cmpi", "sge", row, b.index(g.rows / g.block[0])), b.index(1), b.index(0))
    : b.index(0);

/** A strip of the sums, from block of rows `first` on, as floats. @param isSmall whether the bits of a float are in the sums. */
export function scaled(b: Body, g: GemmTiles, first: Value, isSmall: boolean): void {
  const [mb, , nb] = g.block;
  const cols = g.tile.n / nb;
  const piece = vec("i32", lanes / nb, nb);
  const inParts = partsOf(g) > 1;
  const step = rowsAtOnce(g);
  const block = (r: Value, j: Value, scale: Value) => {
    const row = b.add(first, r);
    const place = (of: Value) => b.add(b.mul(of, b.index(cols)), j);
    // Where elements of A are two bytes, the sums of the low ones have buffers of their own or follow those of the high ones.
    const halves = [{ from: b.local("acc"), at: place(row) }];
    if (g.rowBytes === 2)
      halves.push(
        inParts
          ? { from: b.local("low"), at: place(row) }
          : { from: b.local("acc"), at: place(b.add(row, b.index(g.rows / mb))) },
      );
    const to = place(r);
    for (let top = 0; top < mb; top += lanes / nb) {
      const sums = halves.map(({ from, at }) =>
        b.shape(b.read(from, [at, b.index(top), b.index(0)], piece, "sum"), i32x16),
      );
      const result = b.mul(isSmall ? fromSmall(b, sums) : fromLarge(b, sums), scale);
      const out = leavesAs(g) === "f32" ? result : b.convert("vector.bitcast", result, i32x16, "bits");
      b.write(b.shape(out, vec(leavesAs(g), lanes / nb, nb)), b.local("c"), [to, b.index(top), b.index(0)]);
    }
  };
  const column = (r: Value, j: Value) => {
    const numbers = b.read(b.local("scales"), [j, b.index(0), b.index(0)], piece, "scale");
    const scale = b.convert("vector.bitcast", b.shape(numbers, i32x16), f32x16, "scale");
    for (let i = 0; i < step; i++) block(i ? b.add(r, b.index(i)) : r, j, scale);
  };
  b.for(g.strip / mb, (r) => b.for(cols, (j) => column(r, j), { hint: "j" }), { step, hint: "r" });
}

/** Rows of blocks that become floats at a time: the more, the fewer loops. */
export const rowsAtOnce = ({ strip, block: [mb] }: Pick<GemmTiles, "strip" | "block">): number =>
  (strip / mb) % 2 === 0 ? 2 : 1;

const asBits = (b: Body, v: Value): Value => b.convert("vector.bitcast", v, f32x16, "float");
/** The float `one` + v, where v is less than `one` in units of its last place. */
const onto = (b: Body, v: Value, one: number): Value => asBits(b, b.add(v, b.splat(bitsOf(one), v.type)));

/** s, or 256 h + l, of sums that have the bits in them. What is subtracted, and its difference with the first sum, are exact. */
function fromSmall(b: Body, sums: readonly Value[]): Value {
  const all = around(sums.length === 2 ? 2 : 1).reduce((x, y) => x + y);
  const first = b.sub(asBits(b, sums[0]!), b.splat(all, f32x16));
  return sums.length === 2 ? b.add(first, asBits(b, sums[1]!)) : first;
}

/** The same of any sums: s, or h + floor(l / 256) and the byte that is left over, cut in two. */
function fromLarge(b: Body, [s, low]: readonly Value[]): Value {
  const [byte, rest] = low ? cut(b, low, 8) : [];
  const power = low ? 8 : 0;
  const [lower, upper] = cut(b, rest ? b.add(s!, rest) : s!, 16) as [Value, Value];
  const [large, middle, small] = [1.5 * 2 ** (39 + power), 2 ** (23 + power), 2 ** 23];
  const high = onto(b, upper, large);
  if (!byte) return b.add(b.sub(high, b.splat(large + middle, f32x16)), onto(b, lower, middle));
  const under = b.add(b.sub(onto(b, lower, middle), b.splat(middle + small, f32x16)), onto(b, byte, small));
  return b.add(b.sub(high, b.splat(large, f32x16)), under);
}

/** The lowest bits of v, and floor(v / 2^bits). */
function cut(b: Body, v: Value, bits: number): readonly [Value, Value] {
  const low = b.op("arith.andi", v, b.splat(2 ** bits - 1, v.type), "low");
  // A shift of the vector unit rounds as its control register says: nothing is left to round here.
  return [low, b.op("arith.shrsi", b.sub(v, low), b.splat(bits, v.type), "high")];
}
