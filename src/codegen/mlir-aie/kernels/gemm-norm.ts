/**
 * A norm before a product, without a pass over the rows of its own: with mean m and deviation s of a row of x,
 * ((x - m) / s) w = (x w - m (1 w)) / s. A core sums x and x^2 of its rows as they pass, and the sums of the weights' columns travel
 * with the bias.
 */
import { type Body, type Value, vec } from "../body.ts";
import { type Local, mem } from "../design.ts";
import type { GemmTiles } from "./gemm.ts";
import { f32x16, inverseRoot } from "./math.ts";

/** stats: sums of x and of x^2 per block of rows. columns: bias and sums of weights per block of columns. The lanes of a block each. */
export const normLocals = ({ tile, block: [mb, , nb] }: Pick<GemmTiles, "tile" | "block">): Local[] => [
  { name: "stats", type: mem("f32", tile.m / mb, 2, mb * nb) },
  { name: "columns", type: mem("f32", tile.n / nb, 2, mb * nb) },
];

/** Sums of the rows of one step of K, in every column of a block: the rows times ones. */
export function measure(b: Body, g: GemmTiles): void {
  const [mb, kb, nb] = g.block;
  const [rows, depth] = [g.tile.m / mb, g.tile.k / kb];
  const [flat, sums, lanes] = [vec("bf16", mb * kb), vec("f32", mb, nb), vec("f32", mb * nb)];
  const ones = b.splat(1, vec("bf16", kb, nb));
  const place = (i: Value, which: number) => [i, b.index(which), b.index(0)];
  b.for(rows, (i) => {
    const start = [0, 1].map((which) => b.shape(b.read(b.local("stats"), place(i, which), lanes, "stat"), sums));
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
    for (const which of [0, 1]) b.write(b.shape(done[which]!, lanes), b.local("stats"), place(i, which));
  });
}

export function clearStats(b: Body, g: GemmTiles): void {
  const [mb, , nb] = g.block;
  b.for(g.tile.m / mb, (i) => {
    for (const which of [0, 1])
      b.write(b.splat(0, vec("f32", mb * nb)), b.local("stats"), [i, b.index(which), b.index(0)]);
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

/** 16 lanes of a block of the product, from `lane` on, as if its rows had been normalised, with its bias. */
export function normalised(b: Body, g: GemmTiles, product: Value, row: Value, col: Value, lane: number): Value {
  const mean = (which: number) =>
    b.mul(b.read(b.local("stats"), [row, b.index(which), b.index(lane)], f32x16, "stat"), b.splat(1 / g.k, f32x16));
  const [bias, weights] = [0, 1].map((which) =>
    b.read(b.local("columns"), [col, b.index(which), b.index(lane)], f32x16, "column"),
  ) as [Value, Value];
  const square = mean(1);
  if (!g.norm!.centred) return b.add(b.mul(product, inverseRoot(b, b.add(square, b.splat(g.norm!.eps, f32x16)))), bias);
  const middle = mean(0);
  const variance = b.sub(square, b.mul(middle, middle));
  const factor = inverseRoot(b, b.add(variance, b.splat(g.norm!.eps, f32x16)));
  return b.add(b.mul(b.sub(product, b.mul(middle, weights)), factor), bias);
}
