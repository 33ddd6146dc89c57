/**
 * A norm before a product, without a pass over the rows of its own: with mean m and deviation s of a row of x,
 * ((x - m) / s) w = (x w - m (1 w)) / s. A core sums x and x^2 of its rows as they pass, and the sums of the weights' columns travel
 * with the bias.
 */
import { type Body, type Value, vec } from "../body.ts";
import { type Local, mem } from "../design.ts";
import type { GemmTiles } from "./gemm-shape.ts";
import { f32x16, inverseRoot } from "./math.ts";

/** stats: sums of x and of x^2 per block of rows. columns: bias and sums of weights per block of columns. The lanes of a block each. */
export const normLocals = ({ tile, block: [mb, , nb] }: Pick<GemmTiles, "tile" | "block">): Local[] => [
  { name: "stats", type: mem("f32", tile.m / mb, 2, mb * nb) },
  { name: "columns", type: mem("f32", tile.n / nb, 2, mb * nb) },
];

/** Sums of the rows of one step of K from block of rows `first` on, in every column of a block: the rows times ones. */
export function measure(b: Body, g: GemmTiles, first: Value): void {
  const [mb, kb, nb] = g.block;
  const [rows, depth] = [g.tile.m / g.pieces / mb, g.tile.k / kb];
  const [flat, sums, lanes] = [vec("bf16", mb * kb), vec("f32", mb, nb), vec("f32", mb * nb)];
  const ones = b.splat(1, vec("bf16", kb, nb));
  b.for(rows, (i) => {
    const row = b.add(i, first);
    const start = [0, 1].map((which) => b.shape(b.read(b.local("stats"), place(b, row, which), lanes, "stat"), sums));
    const done = b.fold(
      depth,
      start,
      (d, [sum, squares]) => {
        const at = b.add(b.mul(d, b.index(rows)), i);
        const x = b.read(b.local("a"), [at, b.index(0), b.index(0)], vec("bf16", mb, kb), "x");
        const wide = b.shape(x, flat);
        const square = b.shape(b.mul(wide, wide), vec("bf16", mb, kb));
        return [b.contract(x, ones, sum!), b.contract(square, ones, squares!)];
      },
      "d",
    );
    for (const which of [0, 1]) b.write(b.shape(done[which]!, lanes), b.local("stats"), place(b, row, which));
  });
}

const place = (b: Body, i: Value, which: number, lane = 0) => [i, b.index(which), b.index(lane)];

/** What 16 lanes of a block of rows know: sums of x and of x^2, and when all of K has passed what `finishStats` makes of them. */
export const rowStats = (b: Body, row: Value, lane: number): Value[] =>
  [0, 1].map((which) => b.read(b.local("stats"), place(b, row, which, lane), f32x16, "stat"));

/** Sums become the mean over the deviation, and one over the deviation. */
export function finishStats(b: Body, g: GemmTiles): void {
  const [mb, , nb] = g.block;
  b.for(g.tile.m / mb, (i) => {
    for (let lane = 0; lane < mb * nb; lane += 16) {
      const [mean, square] = rowStats(b, i, lane).map((sum) => b.mul(sum, b.splat(1 / g.k, f32x16))) as [Value, Value];
      const variance = g.norm!.centred ? b.sub(square, b.mul(mean, mean)) : square;
      const factor = inverseRoot(b, b.add(variance, b.splat(g.norm!.eps, f32x16)));
      if (g.norm!.centred) b.write(b.mul(mean, factor), b.local("stats"), place(b, i, 0, lane));
      b.write(factor, b.local("stats"), place(b, i, 1, lane));
    }
  });
}

export function clearStats(b: Body, g: GemmTiles): void {
  const [mb, , nb] = g.block;
  b.for(g.tile.m / mb, (i) => {
    for (const which of [0, 1]) b.write(b.splat(0, vec("f32", mb * nb)), b.local("stats"), place(b, i, which));
  });
}

/** Bias and column sums of the weights, in every row of a block: ones times two of the four rows that each column has. */
export function readColumns(b: Body, g: GemmTiles): void {
  const [mb, kb, nb] = g.block;
  const cols = g.tile.n / nb;
  const start = (g.tile.k / kb) * cols;
  for (let group = 0; group < Math.min(2, cols); group++)
    b.for(
      Math.ceil((cols - group) / 2),
      (q) => {
        const rows = b.read(
          b.local("weights"),
          [b.add(q, b.index(start)), b.index(0), b.index(0)],
          vec("bf16", kb, nb),
          "bias",
        );
        const col = b.add(b.mul(q, b.index(2)), b.index(group));
        for (const which of [0, 1]) {
          const ones = b.splat(
            Array.from({ length: mb * kb }, (_, i) => (Math.floor((i % kb) / 2) === 2 * group + which ? 1 : 0)),
            vec("bf16", mb, kb),
          );
          const sum = b.contract(ones, rows, b.splat(0, vec("f32", mb, nb)));
          b.write(b.shape(sum, vec("f32", mb * nb)), b.local("columns"), [col, b.index(which), b.index(0)]);
        }
      },
      { hint: "q" },
    );
}

/** 16 lanes of a block of the product, from `lane` on, as if its rows had been normalised, with its bias. @param stats of them, finished. */
export function normalised(
  b: Body,
  g: GemmTiles,
  product: Value,
  [mean, factor]: readonly Value[],
  col: Value,
  lane: number,
): Value {
  const [bias, weights] = [0, 1].map((which) =>
    b.read(b.local("columns"), place(b, col, which, lane), f32x16, "column"),
  ) as [Value, Value];
  const scaled = b.mul(product, factor!);
  return b.add(g.norm!.centred ? b.sub(scaled, b.mul(mean!, weights)) : scaled, bias);
}
