/**
 * Sums of integers as floats, on the core. It has no conversion from i32, so one is made of bits: a float whose last place is worth
 * 2^e takes an integer into its lower bits by an addition, and gives it back as a float when its own value is subtracted. Two of these,
 * for 16 bits each, make a sum a float, rounded once; that times the column's scale is the result, bit for bit what `quantizedLinear` with
 * a result in f32 says.
 */
import { type Body, type Value, vec } from "../body.ts";
import { type Local, mem } from "../design.ts";
import { blockBytes, blocksOfNumbers, type GemmTiles, leavesAs, numbersPerColumn } from "./gemm-shape.ts";
import { f32x16 } from "./math.ts";

const lanes = 16;
const i32x16 = vec("i32", lanes);

/** columns [blocks of columns, numbers, copies, nb]: every number of a block of columns as often as 16 lanes hold it. */
export const columnNumbers = (g: Pick<GemmTiles, "tile" | "block" | "rowBytes">): Local => {
  const [, , nb] = g.block;
  return { name: "columns", type: mem("i32", g.tile.n / nb, numbersPerColumn(g), lanes / nb, nb) };
};

/** The numbers of the columns, from the end of a chunk of weights. */
export function readNumbers(b: Body, g: GemmTiles): void {
  const [, kb, nb] = g.block;
  const cols = g.tile.n / nb;
  const [start, blocks, size] = [(g.tile.k / kb) * cols, blocksOfNumbers(g, g.block), blockBytes(g.type, g.block)];
  b.for(
    cols,
    (j) => {
      const first = b.add(b.mul(j, b.index(blocks)), b.index(start));
      for (let number = 0; number < numbersPerColumn(g); number++) {
        const at = number * 4 * nb;
        const block = b.add(first, b.index(Math.floor(at / size)));
        // Blocks of i4 are rows of bytes, others matrices of them.
        const bytes =
          g.type === "i4"
            ? b.read(b.local("weights"), [block, b.index(at % size)], vec("i8", 4 * nb), "bytes")
            : b.read(b.local("weights"), [block, b.index((at % size) / nb), b.index(0)], vec("i8", 4, nb), "bytes");
        const row = b.convert("vector.bitcast", b.shape(bytes, vec("i8", 4 * nb)), vec("i32", nb), "row");
        for (let copy = 0; copy < lanes / nb; copy++)
          b.write(row, b.local("columns"), [j, b.index(number), b.index(copy), b.index(0)]);
      }
    },
    { hint: "j" },
  );
}

/** A strip of the sums, from block of rows `first` on, as floats. */
export function scaled(b: Body, g: GemmTiles, first: Value): void {
  const [mb, , nb] = g.block;
  const cols = g.tile.n / nb;
  const piece = vec("i32", lanes / nb, nb);
  const number = (j: Value, which: number) =>
    b.shape(b.read(b.local("columns"), [j, b.index(which), b.index(0), b.index(0)], piece, "number"), i32x16);
  const block = (r: Value, j: Value) => {
    const row = b.add(first, r);
    const place = (of: Value) => b.add(b.mul(of, b.index(cols)), j);
    // Where elements of A are two bytes, the sums of the low ones follow those of the high ones.
    const halves = Array.from({ length: g.rowBytes ?? 1 }, (_, i) => place(i ? b.add(row, b.index(g.rows / mb)) : row));
    const starts = halves.map((_, i) => number(j, i));
    const scale = b.convert("vector.bitcast", number(j, halves.length), f32x16, "scale");
    const to = place(r);
    for (let top = 0; top < mb; top += lanes / nb) {
      const sums = halves.map((at, i) =>
        b.add(b.shape(b.read(b.local("acc"), [at, b.index(top), b.index(0)], piece, "sum"), i32x16), starts[i]!),
      );
      const low = asFloat(b, sums.at(-1)!, 0);
      const whole = sums.length > 1 ? b.add(asFloat(b, sums[0]!, 8), low) : low;
      const result = b.mul(whole, scale);
      const out = leavesAs(g) === "f32" ? result : b.convert("vector.bitcast", result, i32x16, "bits");
      b.write(b.shape(out, vec(leavesAs(g), lanes / nb, nb)), b.local("c"), [to, b.index(top), b.index(0)]);
    }
  };
  b.for(g.strip / mb, (r) => b.for(cols, (j) => block(r, j), { hint: "j" }), { hint: "r" });
}

/** v * 2^power as f32, rounded once, to the nearest. */
function asFloat(b: Body, v: Value, power: number): Value {
  const low = b.op("arith.andi", v, b.splat(0xffff, v.type), "low");
  // A shift of the vector unit rounds as its control register says: nothing is left to round here.
  const high = b.op("arith.shrsi", b.sub(v, low), b.splat(16, v.type), "high");
  return b.add(exactly(b, high, 16 + power), exactly(b, low, power));
}

/** v * 2^power for |v| < 2^22, exactly. */
function exactly(b: Body, v: Value, power: number): Value {
  const large = 1.5 * 2 ** (23 + power);
  const bits = new Int32Array(Float32Array.of(large).buffer)[0]!;
  const sum = b.convert("vector.bitcast", b.add(v, b.splat(bits, v.type)), f32x16, "float");
  return b.sub(sum, b.splat(large, f32x16));
}
