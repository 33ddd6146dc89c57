/** Weights of a GEMM in the order in which the cores want them, as an expression that is computed when the program is compiled. */
import type { Node } from "../../../ir/node.ts";
import {
  add,
  cast,
  concat,
  constant,
  less,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  select,
  slice,
  sub,
  toBytes,
  transpose,
} from "../../../ir/ops/index.ts";
import { staticShape } from "../../../ir/type.ts";
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { ColumnValues } from "../kernel.ts";
import { runBlock } from "./gemm-run.ts";
import { smallSum, startBits } from "./gemm-scale.ts";
import { blockBytes, blocksOfNumbers, columnsPerBlock, type GemmTiles, isScaled } from "./gemm-shape.ts";

/** Zeros after the values of an axis, up to a size. */
function padded(x: Node, axis: number, size: number): Node {
  const shape = staticShape(x.type.shape);
  if (shape[axis] === size) return x;
  const more = shape.map((d, i) => (i === axis ? size - d : d));
  return concat([x, constant({ dtype: x.type.dtype, shape: more, values: [0] })], { axis });
}

const repeated = (x: Node, times: number, axis: number): Node =>
  times === 1
    ? x
    : concat(
        Array.from({ length: times }, () => x),
        { axis },
      );

/** Two i4 in a byte, as a signed number: 16 times the second and the first without its sign. */
function pairs(values: Node): Node {
  const [count] = staticShape(values.type.shape) as [number];
  const two = reshape(cast(values, { dtype: "i32" }), { shape: [count / 2, 2] });
  const side = (start: number) => slice(two, { axis: 1, start, size: 1 });
  const [low, high] = [side(0), side(1)];
  const bits = select(less(low, scalar(0, "i32")), add(low, scalar(16, "i32")), low);
  return cast(reshape(add(bits, mul(high, scalar(16, "i32"))), { shape: [count / 2] }), { dtype: "i8" });
}

/**
 * w [N, K] (and values of its columns, of a product that has some) as [columns of the array, tiles, steps of K, cores, chunk]: a chunk
 * is blocks of the matrix unit, by depth, then by column, and after them the rows of the bias, or the numbers of every block of columns.
 */
export function packedWeights(
  machine: AieMachine,
  g: GemmTiles,
  w: Node,
  { bias, starts, scales, largest }: ColumnValues = {},
): Node {
  const { tile, across, chunks, chunkBlocks, padded: full } = g;
  const [, kb, nb] = g.block;
  const cores = g.mapping === "grid" ? 1 : machine.rows - 2;
  const [columns, tiles] = [machine.columns, across.n];
  const values = g.type === "bf16" && w.type.dtype === "bf16" ? cast(w, { dtype: "f32" }) : w;
  const split = reshape(padded(values, 0, full.n), {
    shape: [tiles, columns, cores, tile.n / nb, nb, chunks, tile.k / kb, kb],
  });
  const ordered = transpose(split, { perm: [1, 0, 5, 2, 6, 3, 7, 4] });
  const parts = columns * tiles * chunks * cores;
  const chunk = tile.k * tile.n;
  const flat = reshape(ordered, { shape: [parts * chunk] });
  const stored = g.type === "i4" ? pairs(flat) : g.type === "i8" ? cast(flat, { dtype: "i8" }) : flat;
  const [size] = staticShape(stored.type.shape) as [number];
  const blocks = reshape(stored, { shape: [columns, tiles, chunks, cores, size / parts] });
  const unit = g.type === "bf16" ? kb * nb : blockBytes(g.type, g.block);
  const beside = isScaled(g) ? [columnNumbers()] : g.bias || g.norm ? [columnRows()] : [];
  const run = g.isShared ? [runBlocks()] : [];
  // Products that share cores have as much beside their weights as the one that has most.
  const widest = (chunkBlocks - run.length) * unit - size / parts;
  const rest = beside.length ? beside.map((b) => padded(b, 4, widest)) : widest ? [none(widest)] : [];
  const all = rest.length || run.length ? concat([blocks, ...rest, ...run], { axis: 4 }) : blocks;
  return cast(reshape(all, { shape: [parts * chunkBlocks * unit] }), { dtype: g.type === "bf16" ? "bf16" : "i8" });

  function none(width: number): Node {
    return constant({
      dtype: g.type === "bf16" ? "f32" : "i8",
      shape: [columns, tiles, chunks, cores, width],
      values: [0],
    });
  }

  /** What every tile is to the cores; the first one of a row is another than the others. */
  function runBlocks(): Node {
    const of = (isFirst: boolean) =>
      constant({ dtype: g.type === "bf16" ? "f32" : "i8", shape: [1, 1, 1, 1, unit], values: runBlock(g, isFirst) });
    const row = tiles > 1 ? concat([of(true), repeated(of(false), tiles - 1, 1)], { axis: 1 }) : of(true);
    return repeated(repeated(repeated(row, columns, 0), chunks, 2), cores, 3);
  }

  /**
   * For every block of columns: what its sums start with, one row for each byte of A's elements, and its scales, as bytes. After them
   * a block that says whether the sums of all of a core's columns are small; those start with the bits of a float as well.
   */
  function columnNumbers(): Node {
    if (!starts || !scales || !largest) throw new Error("a product with scales is packed with them");
    const byTile = (row: Node) => reshape(padded(row, 0, full.n), { shape: [tiles, columns, cores, tile.n] });
    const areSmall = less(reduceMax(byTile(largest), { axis: 3 }), scalar(smallSum + 0.5));
    const begin = (row: Node, i: number) =>
      select(areSmall, add(row, scalar(startBits(g.rowBytes ?? 1)[i]!, "i32")), row);
    const rows = [...starts.map(byTile).map(begin), byTile(scales)].map((row) =>
      reshape(toBytes(row), { shape: [tiles, columns, cores, tile.n / nb, 4 * nb] }),
    );
    const unit = blockBytes(g.type, g.block);
    const bytes = blocksOfNumbers(g, g.block) * unit;
    const numbers = reshape(padded(concat(rows, { axis: 4 }), 4, bytes), {
      shape: [tiles, columns, cores, (tile.n / nb) * bytes],
    });
    const flag = select(areSmall, scalar(1, "i32"), scalar(0, "i32"));
    const flags = padded(reshape(toBytes(flag), { shape: [tiles, columns, cores, 4] }), 3, unit);
    const whole = concat([numbers, flags], { axis: 3 });
    const byPart = reshape(transpose(whole, { perm: [1, 0, 2, 3] }), {
      shape: [columns, tiles, 1, cores, (tile.n / nb) * bytes + unit],
    });
    return repeated(byPart, chunks, 2);
  }

  /** Rows per column: its bias, and with a norm the sum of its weights, each as the nearest bf16 and what that leaves. */
  function columnRows(): Node {
    const none = constant({ dtype: "f32", shape: [g.n], values: [0] });
    const given = bias && (bias.type.dtype === "f32" ? bias : cast(bias, { dtype: "f32" }));
    const rounded = cast(cast(values, { dtype: "bf16" }), { dtype: "f32" });
    const sums = () => reshape(reduceSum(rounded, { axis: 1 }), { shape: [g.n] });
    const rows = [given ?? none, ...(g.norm ? [sums()] : [])].flatMap(highAndLow);
    const perBlock = columnsPerBlock(g);
    const groups = Math.ceil(tile.n / nb / perBlock) * perBlock;
    const lanes = rows.map((row) => {
      const byTile = reshape(padded(row, 0, full.n), { shape: [tiles, columns, cores, tile.n / nb, nb] });
      const ordered = padded(transpose(byTile, { perm: [1, 0, 2, 3, 4] }), 3, groups);
      return reshape(ordered, { shape: [columns, tiles, 1, cores, groups, 1, nb] });
    });
    const all = concat(lanes, { axis: 5 });
    return repeated(reshape(all, { shape: [columns, tiles, 1, cores, groups * rows.length * nb] }), chunks, 2);
  }
}

function highAndLow(x: Node): Node[] {
  const high = cast(cast(x, { dtype: "bf16" }), { dtype: "f32" });
  return [high, sub(x, high)];
}
