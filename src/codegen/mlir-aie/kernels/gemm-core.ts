/** The program of a core of a GEMM: an output-stationary tile, its accumulators in f32 (i32 for i8), blocks of the matrix unit. */
import { type Body, type Buffer, type Value, vec } from "../body.ts";
import { clearStats, finishStats, measure, normalised, readColumns, rowStats } from "./gemm-norm.ts";
import { forKind, numbered, readRun, type TileRun } from "./gemm-run.ts";
import { areSmall, lowSum, readNumbers, scaled, startOf } from "./gemm-scale.ts";
import { columnsPerBlock, type GemmTiles, isScaled, partsOf, rowsType } from "./gemm-shape.ts";
import { quickGeluTanh } from "./math.ts";
import { range } from "./range.ts";

/**
 * Ports a [k/8 * piece/4] x 4 x 8, b [k/8 * n/nb (+ bias)] x 8 x nb, c [strip/4 * n/nb] x 4 x nb: a few rows of the tile at a time,
 * or the tile where its sums become the result; local acc [m/4 * n/nb] x 4 x nb otherwise, and those of a norm, or of sums that become floats.
 */
export function gemmProgram(g: GemmTiles): (b: Body) => void {
  const [mb] = g.block;
  const strips = g.rows / g.strip;
  const piece = g.tile.m / g.pieces / mb;
  const measured = g.kinds.some(({ norm }) => norm);
  return (b) => {
    const stats = () => ({ stats: b.local("stats") });
    const columns = () => ({ columns: b.local("columns") });
    const numbers = isScaled(g) && { starts: b.local("starts"), scales: b.local("scales") };
    const finish = (of: GemmTiles, acc: Buffer, c: Buffer, first: Value, low?: Buffer) => {
      if (!numbers) {
        const own = of.norm && { ...stats(), ...columns() };
        const name = numbered("store", g, finishOf, of);
        return b.call(name, { acc, c, ...own }, [first], (f, row) => store(f, of, row!));
      }
      const { scales } = numbers;
      const store_ = (size: "small" | "large") => () =>
        b.call(`store_${size}`, { acc, ...(low && { low }), c, scales }, [first], (f, row) =>
          scaled(f, g, row!, size === "small"),
        );
      b.if(areSmall(b, g, scales), store_("small"), store_("large"));
    };
    /** Multiplies a chunk of weights with all rows of the tile. */
    const take = (weights: Buffer, acc: Buffer, run: TileRun, isStart: boolean) => {
      const rows = (first: Value) => {
        const a = b.acquire("a", "Consume");
        if (run.measures)
          b.if(run.measures, () => b.call("measure", { a, ...stats() }, [first], (f, row) => measure(f, g, row!)));
        const more = () =>
          b.call("multiply", { a, weights, acc }, [first], (f, row) =>
            multiply(f, g, row!, (p) => loadSum(f, g, f.local("acc"), p)),
          );
        // What is added before a division by shifting is there from the beginning.
        const start = g.out === "i8" ? 2 ** (g.shift! - 1) : 0;
        const begin = () =>
          b.call("multiply_first", { a, weights, acc, ...(numbers && { starts: numbers.starts }) }, [first], (f, row) =>
            multiply(f, g, row!, (_, at, col) => (numbers ? startOf(f, g, at, col) : f.splat(start, sums(g)))),
          );
        if (isStart)
          forKind(
            b,
            g,
            run,
            (of) => String(startsWithBias(of)),
            (of) => (startsWithBias(of) ? more : begin)(),
          );
        else more();
        b.release("a", "Consume");
      };
      if (g.pieces === 1) rows(b.index(0));
      else b.for(g.pieces, (p) => rows(b.mul(p, b.index(piece))), { hint: "piece" });
      b.release("b", "Consume");
    };
    const begin = (weights: Buffer, acc: Buffer, run: TileRun) =>
      forKind(b, g, run, besideOf, (of) => {
        if (of.norm) b.call("read_columns", { weights, ...columns() }, [], (f) => readColumns(f, of));
        else if (numbers) b.call("read_numbers", { weights, ...numbers }, [], (f) => readNumbers(f, of));
        else b.call("start_with_bias", { weights, acc }, [], (f) => startWithBias(f, of));
      });
    /** A step of K of a tile whose sums leave in parts: in the first one they are asked for, in the last one they are finished. */
    const stepOfParts = (held: Buffer[], isFirst: boolean, isLast: boolean) => {
      const weights = b.acquire("b", "Consume");
      if (isFirst && numbers) b.call("read_numbers", { weights, ...numbers }, [], (f) => readNumbers(f, g));
      for (const part of range(partsOf(g))) {
        // Where one step is all, the part before has left already.
        if (isFirst) held[part] = b.acquire("c", "Produce", isLast ? 1 : part + 1);
        const low = g.rowBytes === 2 ? b.local(lowSum(part)) : undefined;
        for (const [byte, acc] of [held[part]!, ...(low ? [low] : [])].entries()) {
          const a = b.acquire("a", "Consume");
          if (isFirst)
            b.call(
              "multiply_first",
              { a, weights, acc, ...(numbers && { starts: numbers.starts }) },
              [b.index(0), b.index(byte)],
              (f, row, of) =>
                multiply(f, g, row!, (_, at, col) => (numbers ? startOf(f, g, at, col, of) : f.splat(0, sums(g)))),
            );
          else
            b.call("multiply", { a, weights, acc }, [b.index(0)], (f, row) =>
              multiply(f, g, row!, (p) => loadSum(f, g, f.local("acc"), p)),
            );
          b.release("a", "Consume");
        }
        if (!isLast) continue;
        if (numbers) finish(g, held[part]!, held[part]!, b.index(0), low);
        b.release("c", "Produce");
      }
      b.release("b", "Consume");
    };
    const tileInParts = () => {
      const held: Buffer[] = [];
      stepOfParts(held, true, g.chunks === 1);
      if (g.chunks > 2) b.for(g.chunks - 2, () => stepOfParts(held, false, false), { hint: "chunk" });
      if (g.chunks > 1) stepOfParts(held, false, true);
    };
    const tile = (number?: Value) => {
      const acc = g.inPlace ? b.acquire("c", "Produce") : b.local("acc");
      const weights = b.acquire("b", "Consume");
      // Rows stay the same along N: the first tile measures them for all.
      const measures = number && b.compare("arith.cmpi", "eq", number, b.index(0));
      const run: TileRun = g.isShared ? readRun(b, g, weights) : { chunks: g.chunks, measures };
      if (run.measures) b.if(run.measures, () => b.call("clear_stats", stats(), [], (f) => clearStats(f, g)));
      begin(weights, acc, run);
      take(weights, acc, run, true);
      const left = typeof run.chunks === "number" ? run.chunks - 1 : b.sub(run.chunks, b.index(1));
      if (left !== 0) b.for(left, () => take(b.acquire("b", "Consume"), acc, run, false), { hint: "chunk" });
      if (run.measures)
        b.if(run.measures, () =>
          forKind(b, g, run, statsOf, (of) =>
            b.call(numbered("finish_stats", g, statsOf, of), stats(), [], (f) => finishStats(f, of)),
          ),
        );
      if (g.inPlace) {
        forKind(
          b,
          g,
          run,
          (of) => (of.norm || isScaled(of) || of.activation ? finishOf(of) : undefined),
          (of) => finish(of, acc, acc, b.index(0)),
        );
        b.release("c", "Produce");
        return;
      }
      b.for(
        strips,
        (strip) => {
          const c = b.acquire("c", "Produce");
          forKind(b, g, run, finishOf, (of) => finish(of, acc, c, b.mul(strip, b.index(g.strip / mb))));
          b.release("c", "Produce");
        },
        { hint: "strip" },
      );
    };
    if (partsOf(g) > 1) b.for(g.tiles, tileInParts, { hint: "tile" });
    else if (g.isShared) tile();
    else if (!measured) b.for(g.tiles, () => tile(), { hint: "tile" });
    else b.for(g.across.m, () => b.for(g.across.n, tile, { hint: "column" }), { hint: "row" });
  };
}

const startsWithBias = ({ bias, norm }: GemmTiles): boolean => bias && !norm;
/** What is taken from behind a tile's first weights, what ends the statistics of its rows, and what makes results of its sums. */
const besideOf = (g: GemmTiles): string | undefined =>
  g.norm ? "norm" : isScaled(g) ? "scales" : g.bias ? "bias" : undefined;
const statsOf = ({ norm, k }: GemmTiles): string | undefined => norm && `${norm.centred} ${norm.eps} ${k}`;
const finishOf = ({ norm, activation }: GemmTiles): string => `${norm?.centred} ${activation}`;

const whole = (b: Body, i: Value): [Value, Value, Value] => [i, b.index(0), b.index(0)];
/** A block of the sums as it is stored, and as the matrix unit has it. */
const stored = (g: GemmTiles) => vec(g.accumulator, g.block[0], g.block[2]);
const sums = (g: GemmTiles) => vec(g.type === "bf16" ? "f32" : "i32", g.block[0], g.block[2]);
const loadSum = (b: Body, g: GemmTiles, from: Buffer, at: readonly Value[]): Value =>
  b.wide(b.read(from, at, stored(g), "sum"));
const storeSum = (b: Body, g: GemmTiles, v: Value, to: Buffer, at: readonly Value[]): void =>
  b.write(g.accumulator === "bf16" ? b.narrow(v) : v, to, at);

/** A block of the weights; two of i4 lie in a byte, the first in its lower half. */
function weightsAt(b: Body, g: GemmTiles, at: readonly [Value, ...Value[]]): Value {
  const [, kb, nb] = g.block;
  if (g.type !== "i4") return b.read(b.local("weights"), at, vec(g.type, kb, nb), "w");
  const bytes = b.read(b.local("weights"), [at[0], b.index(0)], vec("i8", (kb * nb) / 2), "w");
  const nibbles = b.convert("vector.bitcast", bytes, `vector<${kb * nb}xi4>`, "w");
  // A contraction has operands of one type; the matrix unit takes what was widened as it was.
  return b.convert("arith.extsi", b.shape(nibbles, `vector<${kb}x${nb}xi4>`), vec("i8", kb, nb), "w");
}

/**
 * acc = start + a b from block of rows `first` on: a group of blocks at a time, their sums in registers over the depth of the tile.
 * @param start of the block at a place, in a row and a column of blocks of the tile.
 */
function multiply(
  b: Body,
  g: GemmTiles,
  first: Value,
  start: (place: readonly Value[], row: Value, col: Value) => Value,
): void {
  const [mb, kb, nb] = g.block;
  const piece = { ...g.tile, m: g.tile.m / g.pieces };
  const [rows, cols, depth] = [piece.m / mb, piece.n / nb, piece.k / kb];
  const { group } = g;
  const [left, acc] = [b.local("a"), b.local("acc")];
  const at = (row: Value, width: number, col: Value) => whole(b, b.add(b.mul(row, b.index(width)), col));
  const step = (i: Value, by: number) => (by ? b.add(i, b.index(by)) : i);
  const block = (i: Value, j: Value) => {
    const row = b.add(i, first);
    const blocks = range(group.rows).flatMap((r) =>
      range(group.cols).map((c) => {
        const [of, col] = [step(row, r), step(j, c)];
        return { place: at(of, cols, col), row: of, col };
      }),
    );
    const init = blocks.map((p) => start(p.place, p.row, p.col));
    const done = b.fold(
      depth,
      init,
      (d, carried) => {
        const as = range(group.rows).map((r) =>
          b.read(left, at(d, rows, step(i, r)), vec(rowsType(g.type), mb, kb), "x"),
        );
        const bs = range(group.cols).map((c) => weightsAt(b, g, at(d, cols, step(j, c))));
        return carried.map((sum, p) => b.contract(as[Math.floor(p / group.cols)]!, bs[p % group.cols]!, sum));
      },
      "d",
    );
    for (const [q, { place }] of blocks.entries()) storeSum(b, g, done[q]!, acc, place);
  };
  b.for(rows, (i) => b.for(cols, (j) => block(i, j), { step: group.cols, hint: "j" }), { step: group.rows });
}

/** A strip of the sums, from block of rows `first` on: normalised, activated and rounded. */
function store(b: Body, g: GemmTiles, first: Value): void {
  const [mb, , nb] = g.block;
  const cols = g.tile.n / nb;
  // exp and rsqrt have 16 lanes: of a larger block some rows at a time.
  const rows = g.type === "bf16" ? 16 / nb : mb;
  const flat = vec(g.type === "bf16" ? "f32" : "i32", rows * nb);
  const block = (r: Value, row: Value, j: Value, stats: readonly (readonly Value[])[]) => {
    const at = b.add(b.mul(row, b.index(cols)), j);
    for (let top = 0; top < mb; top += rows) {
      const place = (of: Value) => [of, b.index(top), b.index(0)];
      const sum = b.read(b.local("acc"), place(at), vec(g.accumulator, rows, nb), "sum");
      let v = b.shape(b.wide(sum), flat);
      if (g.norm) v = normalised(b, g, v, stats[top / rows]!, j, top * nb);
      if (g.activation === "geluTanh") v = quickGeluTanh(b, v);
      if (g.out === "i8") v = requantised(b, v, g.shift!);
      const out = b.shape(g.out === "bf16" ? b.narrow(v) : v, vec(g.out, rows, nb));
      b.write(out, b.local("c"), place(b.add(b.mul(r, b.index(cols)), j)));
    }
  };
  const line = (r: Value) => {
    const row = b.add(first, r);
    const stats = g.norm ? range(mb / rows).map((i) => rowStats(b, row, 16 * i)) : [];
    b.for(cols, (j) => block(r, row, j, stats), { hint: "j" });
  };
  b.for(g.strip / mb, line, { hint: "r" });
}

/** Sums, which began with half of 2^shift, over 2^shift: to the nearest with ties up, as i8. */
function requantised(b: Body, v: Value, shift: number): Value {
  const scaled = b.op("arith.shrsi", v, b.splat(shift, v.type), "scaled");
  const low = b.op("arith.maxsi", scaled, b.splat(-128, v.type), "low");
  return b.convert("arith.trunci", b.op("arith.minsi", low, b.splat(127, v.type), "both"), v.type.replace("i32", "i8"));
}

/** Every row of the sums becomes the bias of its columns: ones times the bias's two rows. */
function startWithBias(b: Body, g: GemmTiles): void {
  const [mb, kb, nb] = g.block;
  const [rows, cols] = [g.tile.m / mb, g.tile.n / nb];
  const start = (g.tile.k / kb) * cols;
  const perBlock = columnsPerBlock(g);
  const type = vec("bf16", mb, kb);
  for (let group = 0; group < Math.min(perBlock, cols); group++) {
    const ones = b.splat(
      Array.from({ length: mb * kb }, (_, i) => (Math.floor((i % kb) / 2) === group ? 1 : 0)),
      type,
    );
    b.for(
      Math.ceil((cols - group) / perBlock),
      (q) => {
        const pair = b.read(b.local("weights"), whole(b, b.add(q, b.index(start))), vec("bf16", kb, nb), "bias");
        const lanes = b.contract(ones, pair, b.splat(0, sums(g)));
        const col = b.add(b.mul(q, b.index(perBlock)), b.index(group));
        b.for(rows, (i) => storeSum(b, g, lanes, b.local("acc"), whole(b, b.add(b.mul(i, b.index(cols)), col))));
      },
      { hint: "q" },
    );
  }
}
