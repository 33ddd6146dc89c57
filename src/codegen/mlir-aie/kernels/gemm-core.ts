/** The program of a core of a GEMM: an output-stationary tile, its accumulators in f32 (i32 for i8), blocks of the matrix unit. */
import { type Body, type Buffer, type Value, vec } from "../body.ts";
import type { GemmTiles } from "./gemm.ts";
import { geluTanh } from "./math.ts";

/** Columns of the bias that one 8-row block of the weights carries: each takes two rows, the bf16 and what it leaves over. */
export const biasGroups = 4;

/**
 * Ports a [k/8 * m/4] x 4 x 8, b [k/8 * n/nb (+ bias)] x 8 x nb, c [strip/4 * n/nb] x 4 x nb: a few rows of the tile at a time;
 * local acc [m/4 * n/nb] x 4 x nb.
 */
export function gemmProgram(g: GemmTiles): (b: Body) => void {
  const { m, k, n } = g.tile;
  const [mb, kb, nb] = g.block;
  const [rows, cols, depth] = [m / mb, n / nb, k / kb];
  const [rb, cb] = [rows % 2 ? 1 : 2, cols % 2 ? 1 : 2];
  const lanes = { a: vec(g.type, mb, kb), b: vec(g.type, kb, nb), acc: vec(g.accumulator, mb, nb) };
  const flat = vec(g.accumulator, mb * nb);
  return (b) => {
    const at = (row: Value, width: number, col: Value) => [
      b.add(b.mul(row, b.index(width)), col),
      b.index(0),
      b.index(0),
    ];
    const step = (i: Value, by: number) => (by ? b.add(i, b.index(by)) : i);
    const whole = (i: Value) => [i, b.index(0), b.index(0)];
    const tile = () => {
      const acc = b.local("acc");
      if (!g.bias) b.for(rows * cols, (i) => b.write(b.splat(0, lanes.acc), acc, whole(i)));
      b.for(
        g.chunks,
        (chunk) => {
          const left = b.acquire("a", "Consume");
          const right = b.acquire("b", "Consume");
          if (g.bias) {
            b.comment("the bias starts the sums: ones times its two rows");
            b.if(b.compare("arith.cmpi", "eq", chunk, b.index(0)), () => startWithBias(b, g, right, acc));
          }
          b.for(rows, (i) => b.for(cols, (j) => block(left, right, acc, i, j), { step: cb, hint: "j" }), { step: rb });
          b.release("a", "Consume");
          b.release("b", "Consume");
        },
        { hint: "chunk" },
      );
      const perStrip = (g.strip / mb) * cols;
      b.for(
        (rows * cols) / perStrip,
        (strip) => {
          const to = b.acquire("c", "Produce");
          const first = b.mul(strip, b.index(perStrip));
          b.for(perStrip, (i) => {
            let v = b.shape(b.read(acc, whole(b.add(first, i)), lanes.acc, "sum"), flat);
            if (g.activation === "geluTanh") v = geluTanh(b, v);
            b.write(b.shape(g.out === "bf16" ? b.narrow(v) : v, vec(g.out, mb, nb)), to, whole(i));
          });
          b.release("c", "Produce");
        },
        { hint: "strip" },
      );
    };
    const block = (left: Buffer, right: Buffer, acc: Buffer, i: Value, j: Value) => {
      const places = range(rb).flatMap((r) => range(cb).map((c) => at(step(i, r), cols, step(j, c))));
      const init = places.map((p) => b.read(acc, p, lanes.acc, "sum"));
      const sums = b.fold(
        depth,
        init,
        (d, carried) => {
          const as = range(rb).map((r) => b.read(left, at(d, rows, step(i, r)), lanes.a, "a"));
          const bs = range(cb).map((c) => b.read(right, at(d, cols, step(j, c)), lanes.b, "b"));
          return carried.map((sum, p) => b.contract(as[Math.floor(p / cb)]!, bs[p % cb]!, sum));
        },
        "d",
      );
      for (const [q, p] of places.entries()) b.write(sums[q]!, acc, p);
    };
    b.for(g.tiles, tile, { hint: "tile" });
  };
}

/** Every row of the accumulators becomes the bias of its columns. */
function startWithBias(b: Body, g: GemmTiles, right: Buffer, acc: Buffer): void {
  const [mb, kb, nb] = g.block;
  const [rows, cols] = [g.tile.m / mb, g.tile.n / nb];
  const start = (g.tile.k / kb) * cols;
  const type = vec("bf16", mb, kb);
  for (let group = 0; group < Math.min(biasGroups, cols); group++) {
    const ones = b.splat(
      Array.from({ length: mb * kb }, (_, i) => (Math.floor((i % kb) / 2) === group ? 1 : 0)),
      type,
    );
    b.for(
      Math.ceil((cols - group) / biasGroups),
      (q) => {
        const rowsOf = b.read(right, [b.add(q, b.index(start)), b.index(0), b.index(0)], vec("bf16", kb, nb), "bias");
        const lanes = b.contract(ones, rowsOf, b.splat(0, vec("f32", mb, nb)));
        const col = b.add(b.mul(q, b.index(biasGroups)), b.index(group));
        b.for(rows, (i) => b.write(lanes, acc, [b.add(b.mul(i, b.index(cols)), col), b.index(0), b.index(0)]));
      },
      { hint: "q" },
    );
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
