/** The program of a core of a GEMM: an output-stationary tile, its accumulators in f32 (i32 for i8), blocks of the matrix unit. */
import { type Body, type Buffer, type Value, vec } from "../body.ts";
import { columnsPerBlock, type GemmTiles, isScaled, rowsType } from "./gemm.ts";
import { clearStats, measure, normalised, readColumns } from "./gemm-norm.ts";
import { readNumbers, scaled } from "./gemm-scale.ts";
import { geluTanh } from "./math.ts";

/**
 * Ports a [k/8 * m/4] x 4 x 8, b [k/8 * n/nb (+ bias)] x 8 x nb, c [strip/4 * n/nb] x 4 x nb: a few rows of the tile at a time;
 * local acc [m/4 * n/nb] x 4 x nb, and those of a norm or of scales.
 */
export function gemmProgram(g: GemmTiles): (b: Body) => void {
  const [mb] = g.block;
  const strips = g.rows / g.strip;
  return (b) => {
    const acc = b.local("acc");
    const tile = () => {
      if (!g.bias || g.norm) b.call("clear", { acc }, [], (f) => clear(f, g));
      if (g.norm) b.call("clear_stats", { stats: b.local("stats") }, [], (f) => clearStats(f, g));
      b.for(
        g.chunks,
        (chunk) => {
          const a = b.acquire("a", "Consume");
          const weights = b.acquire("b", "Consume");
          const columns = () => ({ weights, columns: b.local("columns") });
          if (g.bias || g.norm || isScaled(g))
            b.if(b.compare("arith.cmpi", "eq", chunk, b.index(0)), () =>
              g.norm
                ? b.call("read_columns", columns(), [], (f) => readColumns(f, g))
                : isScaled(g)
                  ? b.call("read_numbers", columns(), [], (f) => readNumbers(f, g))
                  : b.call("start_with_bias", { weights, acc }, [], (f) => startWithBias(f, g)),
            );
          if (g.norm) b.call("measure", { a, stats: b.local("stats") }, [], (f) => measure(f, g));
          b.call("multiply", { a, weights, acc }, [], (f) => multiply(f, g));
          b.release("a", "Consume");
          b.release("b", "Consume");
        },
        { hint: "chunk" },
      );
      b.for(
        strips,
        (strip) => {
          const c = b.acquire("c", "Produce");
          const own = {
            ...(g.norm && { stats: b.local("stats") }),
            ...((g.norm || isScaled(g)) && { columns: b.local("columns") }),
          };
          const first = b.mul(strip, b.index(g.strip / mb));
          b.call("store", { acc, c, ...own }, [first], (f, row) => (isScaled(g) ? scaled : store)(f, g, row!));
          b.release("c", "Produce");
        },
        { hint: "strip" },
      );
    };
    b.for(g.tiles, tile, { hint: "tile" });
  };
}

const whole = (b: Body, i: Value): [Value, Value, Value] => [i, b.index(0), b.index(0)];
/** A block of the sums as it is stored, and as the matrix unit has it. */
const stored = (g: GemmTiles) => vec(g.accumulator, g.block[0], g.block[2]);
const sums = (g: GemmTiles) => vec(g.type === "bf16" ? "f32" : "i32", g.block[0], g.block[2]);
const loadSum = (b: Body, g: GemmTiles, from: Buffer, at: readonly Value[]): Value =>
  b.wide(b.read(from, at, stored(g), "sum"));
const storeSum = (b: Body, g: GemmTiles, v: Value, to: Buffer, at: readonly Value[]): void =>
  b.write(g.accumulator === "bf16" ? b.narrow(v) : v, to, at);

function clear(b: Body, g: GemmTiles): void {
  const acc = b.local("acc");
  b.for(acc.type.shape[0]!, (i) => b.write(b.splat(0, stored(g)), acc, whole(b, i)));
}

/** A block of the weights; two of i4 lie in a byte, the first in its lower half. */
function weightsAt(b: Body, g: GemmTiles, at: readonly [Value, ...Value[]]): Value {
  const [, kb, nb] = g.block;
  if (g.type !== "i4") return b.read(b.local("weights"), at, vec(g.type, kb, nb), "w");
  const bytes = b.read(b.local("weights"), [at[0], b.index(0)], vec("i8", (kb * nb) / 2), "w");
  const nibbles = b.convert("vector.bitcast", bytes, `vector<${kb * nb}xi4>`, "w");
  // A contraction has operands of one type; the matrix unit takes what was widened as it was.
  return b.convert("arith.extsi", b.shape(nibbles, `vector<${kb}x${nb}xi4>`), vec("i8", kb, nb), "w");
}

/** acc += a b: two by two blocks at a time, their sums in registers over the depth of the tile. */
function multiply(b: Body, g: GemmTiles): void {
  const [mb, kb, nb] = g.block;
  const [rows, cols, depth] = [g.tile.m / mb, g.tile.n / nb, g.tile.k / kb];
  const [rb, cb] = [rows % 2 ? 1 : 2, cols % 2 ? 1 : 2];
  const [left, acc] = [b.local("a"), b.local("acc")];
  const at = (row: Value, width: number, col: Value) => whole(b, b.add(b.mul(row, b.index(width)), col));
  const step = (i: Value, by: number) => (by ? b.add(i, b.index(by)) : i);
  const block = (i: Value, j: Value) => {
    const places = range(rb).flatMap((r) => range(cb).map((c) => at(step(i, r), cols, step(j, c))));
    const init = places.map((p) => loadSum(b, g, acc, p));
    const done = b.fold(
      depth,
      init,
      (d, carried) => {
        const as = range(rb).map((r) => b.read(left, at(d, rows, step(i, r)), vec(rowsType(g.type), mb, kb), "x"));
        const bs = range(cb).map((c) => weightsAt(b, g, at(d, cols, step(j, c))));
        return carried.map((sum, p) => b.contract(as[Math.floor(p / cb)]!, bs[p % cb]!, sum));
      },
      "d",
    );
    for (const [q, p] of places.entries()) storeSum(b, g, done[q]!, acc, p);
  };
  b.for(rows, (i) => b.for(cols, (j) => block(i, j), { step: cb, hint: "j" }), { step: rb });
}

/** A strip of the sums, from block of rows `first` on: normalised, activated and rounded. */
function store(b: Body, g: GemmTiles, first: Value): void {
  const [mb, , nb] = g.block;
  const cols = g.tile.n / nb;
  // exp and rsqrt have 16 lanes: of a larger block some rows at a time.
  const rows = g.type === "bf16" ? 16 / nb : mb;
  const flat = vec(g.type === "bf16" ? "f32" : "i32", rows * nb);
  const block = (r: Value, j: Value) => {
    const row = b.add(first, r);
    const at = b.add(b.mul(row, b.index(cols)), j);
    for (let top = 0; top < mb; top += rows) {
      const place = (of: Value) => [of, b.index(top), b.index(0)];
      const sum = b.read(b.local("acc"), place(at), vec(g.accumulator, rows, nb), "sum");
      let v = b.shape(b.wide(sum), flat);
      if (g.norm) v = normalised(b, g, v, row, j, top * nb);
      if (g.activation === "geluTanh") v = geluTanh(b, v);
      if (g.out === "i8") v = requantised(b, v, g.shift!);
      const out = b.shape(g.out === "bf16" ? b.narrow(v) : v, vec(g.out, rows, nb));
      b.write(out, b.local("c"), place(b.add(b.mul(r, b.index(cols)), j)));
    }
  };
  b.for(g.strip / mb, (r) => b.for(cols, (j) => block(r, j), { hint: "j" }), { hint: "r" });
}

/** Sums over 2^shift, to the nearest with ties up, as i8. */
function requantised(b: Body, v: Value, shift: number): Value {
  const half = b.add(v, b.splat(2 ** (shift - 1), v.type));
  const scaled = b.op("arith.shrsi", half, b.splat(shift, v.type), "scaled");
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

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
