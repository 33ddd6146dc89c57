/**
 * The program of a core of attention. Everything is kept turned, keys by queries and dim by queries: a block of 4 x n scores, n what the
 * matrix unit takes (4, or 8 on npu2), is then half of the 8 x n operand of the second product, and nothing moves between lanes but in the maximum.
 */
import { type Body, type Value, vec } from "../body.ts";
import { type Local, mem } from "../design.ts";
import { type AttentionTiles, together } from "./attention.ts";
import { hidden, inRing, low, perQuery, readHeader, tilesOf } from "./attention-mask.ts";
import { exponential, f32x16, reciprocal } from "./math.ts";
import { range } from "./range.ts";

/** 32 numbers: a block of keys or values before it is turned, and two of results. */
const half = vec("bf16", 32);
/** A block of sums, as the matrix unit has it and in a row; the operand of 8 x n, as both. */
const typesOf = ({ block }: AttentionTiles) => ({
  block: vec("f32", 4, block),
  lanes: vec("f32", 4 * block),
  halves: vec("bf16", 4 * block),
  operand: vec("bf16", 8, block),
  flat: vec("bf16", 8 * block),
});

export function attentionLocals({ tile: { q, s }, dim }: AttentionTiles): Local[] {
  return [
    { name: "query", type: mem("bf16", q * dim) },
    { name: "scores", type: mem("f32", q * s) },
    { name: "weights", type: mem("bf16", q * s) },
    { name: "sums", type: mem("f32", q * dim) },
    { name: "top", type: mem("bf16", q * 4) },
    { name: "total", type: mem("f32", q * 4) },
    { name: "fade", type: mem("f32", q * 4) },
    { name: "pair", type: mem("bf16", 32) },
  ];
}

/**
 * Ports qk: objects of s queries or keys [s/4, dim/8, 8, 4] (what 8 x 8 queries are in it is up to the host: see `queryTiling`); v: s keys
 * [s/8, dim/4, 8, 4], for a cache first one whose first element holds the position's bits; o: [q/n, dim n/32, n, 32/n].
 * @param row of the array. @param firstBlock of queries of this column.
 */
export function attentionProgram(t: AttentionTiles, row: number, firstBlock: number): (b: Body) => void {
  const { q, s } = t.tile;
  const own = t.mapping === "own";
  const kinds = t.kinds.map((kind) => ({ ...t, ...kind }));
  return (b) => {
    const buffers = (...names: string[]) => Object.fromEntries(names.map((name) => [name, b.local(name)]));
    const [given, kind] = t.cached ? readHeader(b, kinds.length > 1) : [b.index(t.keys - t.queries)];
    const isKind = (i: number) => b.compare("arith.cmpi", "eq", kind!, b.index(i));
    /** What holds for the kind that runs, of numbers that all have. */
    const pick = (values: readonly Value[]) => values.reduce((rest, v, i) => b.select(isKind(i), v, rest));
    const rounds = kinds.map((of) => inRing(b, of, given));

    const takeQueries = () => {
      // The queries of all cores pass by; this core keeps its own.
      const mine = own ? { object: 0, from: 0 } : { object: Math.floor((row * q) / s), from: ((row * q) % s) / 4 };
      const span = Math.max(1, q / s);
      for (let object = 0; object < t.panel / s; object++) {
        const seen = b.acquire("qk", "Consume");
        const part = object - mine.object;
        if (part >= 0 && part < span) {
          const at = [b.index(mine.from), b.index((part * s) / 4)];
          b.call("keep", { seen, ...buffers("query") }, at, (f, from, to) => keep(f, t, from!, to!));
        }
        b.release("qk", "Consume");
      }
      b.call("reset", buffers("top", "total", "sums"), [], (f) => reset(f, t));
    };
    const pass = (count: Value) =>
      b.for(
        count,
        () => {
          for (const port of ["qk", "v"]) {
            b.acquire(port, "Consume");
            b.release(port, "Consume");
          }
        },
        { hint: "passed" },
      );
    /** Masks and weighs a tile, with the mask of the kind that runs. */
    const weighAs = (distance: Value, at = 0): void => {
      const act = () =>
        b.call(
          at ? `weigh_${at}` : "weigh",
          buffers("scores", "weights", "top", "total", "fade"),
          [distance, ...rounds[at]!.round],
          (f, d, r) => weigh(f, kinds[at]!, d!, r),
        );
      if (at === kinds.length - 1) act();
      else b.if(isKind(at), act, () => weighAs(distance, at + 1));
    };
    const turn = (number: Value) => {
      takeQueries();
      const start = own ? 0 : (row * q) / t.share;
      const all = kinds.map((of, i) => tilesOf(b, of, number, firstBlock, rounds[i]!.position, start));
      const one = (name: "before" | "seen" | "after" | "ahead") => pick(all.map((tiles) => tiles[name]));
      const [before, seen, after, ahead] = [one("before"), one("seen"), one("after"), one("ahead")];
      if (kinds.some(({ window }) => window)) pass(before);
      b.for(
        seen,
        (i) => {
          const keys = b.acquire("qk", "Consume");
          b.call("score", { keys, ...buffers("query", "scores") }, [], (f) => score(f, t));
          b.release("qk", "Consume");
          weighAs(b.sub(ahead, b.mul(i, b.index(s))));
          const values = b.acquire("v", "Consume");
          b.call("accumulate", { values, ...buffers("weights", "fade", "sums") }, [], (f) => accumulate(f, t));
          b.release("v", "Consume");
        },
        { hint: "tile" },
      );
      b.comment("what is masked for this core passes by");
      pass(after);
      const out = b.acquire("o", "Produce");
      b.call("finish", { out, ...buffers("sums", "total", "pair") }, [], (f) => finish(f, t));
      b.release("o", "Produce");
    };
    b.for(t.rounds, () => b.for(t.blocks / t.columns.queries, turn, { hint: "turn" }), { hint: "round" });
  };
}

/** The place of index * stride + ... in a flat buffer. */
const flat = (b: Body, parts: readonly (readonly [Value, number])[], plus = 0): Value[] => {
  const sum = parts.map(([v, by]) => (by === 1 ? v : b.mul(v, b.index(by)))).reduce((x, y) => b.add(x, y));
  return [plus ? b.add(sum, b.index(plus)) : sum];
};
const three = (b: Body, first: Value) => [first, b.index(0), b.index(0)];

/** Copies blocks of queries from `from` on to place `to`, in blocks of four rows. */
function keep(b: Body, { tile: { q, s }, dim }: AttentionTiles, from: Value, to: Value): void {
  const inner = dim / 8;
  b.for(
    Math.min(q, s) / 4,
    (g) => {
      const [source, goal] = [b.mul(b.add(g, from), b.index(inner)), b.mul(b.add(g, to), b.index(inner))];
      b.for(
        inner,
        (d) => {
          const lanes = b.read(b.local("seen"), three(b, b.add(source, d)), vec("bf16", 8, 4), "q");
          b.write(b.shape(lanes, half), b.local("query"), flat(b, [[b.add(goal, d), 32]]));
        },
        { hint: "d" },
      );
    },
    { hint: "g" },
  );
}

function reset(b: Body, t: AttentionTiles): void {
  const { tile: { q }, dim } = t; // biome-ignore format: names
  const { halves, lanes } = typesOf(t);
  b.for(
    q / t.block,
    (g) => {
      b.write(b.splat(low, halves), b.local("top"), flat(b, [[g, 4 * t.block]]));
      b.write(b.splat(0, lanes), b.local("total"), flat(b, [[g, 4 * t.block]]));
    },
    { hint: "g" },
  );
  b.for((q * dim) / 16, (i) => b.write(b.splat(0, f32x16), b.local("sums"), flat(b, [[i, 16]])));
}

/** scores = K Q^T, keys by queries. */
function score(b: Body, t: AttentionTiles): void {
  const { q, s } = t.tile;
  const inner = t.dim / 8;
  const n = t.block;
  const { block, lanes, operand, flat: row } = typesOf(t);
  const products = (k: Value, g: Value) => {
    const start = range(together(t)).map(() => b.splat(0, block));
    const sums = b.fold(
      inner,
      start,
      (d, acc) => {
        const at = three(b, b.add(b.mul(k, b.index(inner)), d));
        const left = b.transpose(b.read(b.local("keys"), at, vec("bf16", 8, 4), "k"));
        return acc.map((sum, i) => {
          const place = flat(b, [[g, inner * 8 * n], [d, 8 * n]], i * inner * 8 * n); // biome-ignore format: place
          return b.contract(left, b.shape(b.read(b.local("query"), place, row, "q"), operand), sum);
        });
      },
      "d",
    );
    for (const [i, sum] of sums.entries())
      b.write(b.shape(sum, lanes), b.local("scores"), flat(b, [[g, s * n], [k, 4 * n]], i * s * n)); // biome-ignore format: place
  };
  b.for(s / 4, (k) => b.for(q / n, (g) => products(k, g), { step: together(t), hint: "g" }), { hint: "k" });
}

/** Masks and weighs the scores of one tile; `ahead` is how far its first key lies before the core's first query. */
function weigh(b: Body, t: AttentionTiles, ahead: Value, round: Value | undefined): void {
  const { q, s } = t.tile;
  const n = t.block;
  const { block, lanes, halves, operand, flat: row } = typesOf(t);
  const lane = (name: string, at: Value, type: string) => b.read(b.local(name), flat(b, [[at, 4 * n]]), type, name);
  const group = (g: Value) => {
    // The token of a group's first row; the mask knows those of the others.
    const token = t.share >= n ? b.op("arith.divui", g, b.index(t.share / n)) : b.mul(g, b.index(n / t.share));
    const delta = b.add(ahead, token);
    const place = (k: Value, size = 4 * n) => flat(b, [[g, s * n], [k, size]]); // biome-ignore format: place
    const old = lane("top", g, halves);
    const [raised] = b.fold(
      s / 4,
      [old],
      (k, [best]) => {
        const scaled = b.mul(b.read(b.local("scores"), place(k), lanes, "score"), b.splat(t.scale, lanes));
        const seen = b.add(scaled, b.wide(hidden(b, b.sub(delta, b.mul(k, b.index(4))), t, round)));
        b.write(seen, b.local("scores"), place(k));
        return [b.max(best!, b.narrow(seen))];
      },
      "k",
    ) as [Value];
    const top = perQuery(b, raised, n);
    const wideTop = b.wide(top);
    const fade = exponential(b, b.sub(b.wide(old), wideTop));
    b.write(top, b.local("top"), flat(b, [[g, 4 * n]]));
    b.write(fade, b.local("fade"), flat(b, [[g, 4 * n]]));
    b.for(
      s / 4,
      (k) => {
        const less = b.narrow(b.sub(b.read(b.local("scores"), place(k), lanes, "score"), wideTop));
        b.write(b.unary("math.exp", less), b.local("weights"), place(k));
      },
      { hint: "k" },
    );
    // Sums over keys, in all four rows of lanes: ones times the weights.
    const ones = b.splat(1, vec("bf16", 4, 8));
    const start = b.shape(b.mul(lane("total", g, lanes), fade), block);
    const [total] = b.fold(
      s / 8,
      [start],
      (k, [sum]) => {
        const p = b.read(b.local("weights"), place(k, 8 * n), row, "p");
        return [b.contract(ones, b.shape(p, operand), sum!)];
      },
      "k",
    ) as [Value];
    b.write(b.shape(total, lanes), b.local("total"), flat(b, [[g, 4 * n]]));
  };
  b.for(q / n, group, { hint: "g" });
}

/** sums = fade sums + V^T weights, dim by queries. */
function accumulate(b: Body, t: AttentionTiles): void {
  const { q, s } = t.tile;
  const width = t.dim / 4;
  const n = t.block;
  const { block, lanes, operand, flat: row } = typesOf(t);
  const products = (d: Value, g: Value) => {
    const place = (i: number) => flat(b, [[g, t.dim * n], [d, 4 * n]], i * t.dim * n); // biome-ignore format: place
    const start = range(together(t)).map((i) => {
      const fade = b.read(b.local("fade"), flat(b, [[g, 4 * n]], i * 4 * n), lanes, "fade");
      return b.shape(b.mul(b.read(b.local("sums"), place(i), lanes, "sum"), fade), block);
    });
    const sums = b.fold(
      s / 8,
      start,
      (k, acc) => {
        const at = three(b, b.add(b.mul(k, b.index(width)), d));
        const left = b.transpose(b.read(b.local("values"), at, vec("bf16", 8, 4), "v"));
        return acc.map((sum, i) => {
          const p = b.read(b.local("weights"), flat(b, [[g, s * n], [k, 8 * n]], i * s * n), row, "p"); // biome-ignore format: place
          return b.contract(left, b.shape(p, operand), sum);
        });
      },
      "k",
    );
    for (const [i, sum] of sums.entries()) b.write(b.shape(sum, lanes), b.local("sums"), place(i));
  };
  b.for(width, (d) => b.for(q / n, (g) => products(d, g), { step: together(t), hint: "g" }), { hint: "d" });
}

/** Divides by the sums of the weights and turns the result, 32 numbers at a time: queries by dim. */
function finish(b: Body, { tile: { q }, dim, block: n }: AttentionTiles): void {
  const wide = 32 / n;
  const inner = dim / wide;
  const group = (g: Value) => {
    // All rows of lanes hold the same sums.
    const share = reciprocal(b, b.read(b.local("total"), flat(b, [[g, 4 * n]]), f32x16, "total"));
    b.for(
      inner,
      (d) => {
        for (const i of [0, 1]) {
          const sum = b.read(b.local("sums"), flat(b, [[g, dim * n], [d, 32]], i * 16), f32x16, "sum"); // biome-ignore format: place
          b.write(b.narrow(b.mul(sum, share)), b.local("pair"), [b.index(i * 16)]);
        }
        const pair = b.shape(b.read(b.local("pair"), [b.index(0)], half, "pair"), vec("bf16", wide, n));
        b.write(b.transpose(pair), b.local("out"), three(b, b.add(b.mul(g, b.index(inner)), d)));
      },
      { hint: "d" },
    );
  };
  b.for(q / n, group, { hint: "g" });
}
