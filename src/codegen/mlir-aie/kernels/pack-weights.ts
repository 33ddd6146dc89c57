/** Weights of a GEMM in the order in which the cores want them, as an expression that is computed when the program is compiled. */
import type { Node } from "../../../ir/node.ts";
import {
  add,
  cast,
  concat,
  constant,
  less,
  mul,
  reshape,
  scalar,
  select,
  slice,
  sub,
  transpose,
} from "../../../ir/ops/index.ts";
import { staticShape } from "../../../ir/type.ts";
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { GemmTiles } from "./gemm.ts";
import { biasGroups } from "./gemm-core.ts";

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
 * w [N, K] (and a bias [N]) as [columns of the array, tiles, steps of K, cores, chunk]: a chunk is blocks of the matrix unit, by
 * depth, then by column, and after them the rows of the bias.
 */
export function packedWeights(machine: AieMachine, g: GemmTiles, w: Node, bias: Node | undefined): Node {
  const { tile, across, chunks, chunkBlocks, padded: full } = g;
  const [, kb, nb] = g.block;
  const cores = g.mapping === "grid" ? 1 : machine.rows - 2;
  const [columns, tiles] = [machine.columns, across.n];
  const values = g.type === "bf16" && w.type.dtype === "bf16" ? cast(w, { dtype: "f32" }) : w;
  const split = reshape(padded(values, 0, full.n), {
    shape: [tiles, columns, cores, tile.n / nb, nb, chunks, tile.k / kb, kb],
  });
  const ordered = transpose(split, { perm: [1, 0, 5, 2, 6, 3, 7, 4] });
  const chunk = tile.k * tile.n;
  const blocks = reshape(ordered, { shape: [columns, tiles, chunks, cores, chunk] });
  const all = bias ? concat([blocks, biasRows(bias)], { axis: 4 }) : blocks;
  const flat = reshape(all, { shape: [columns * tiles * chunks * cores * chunkBlocks * kb * nb] });
  return g.type === "i4" ? pairs(flat) : cast(flat, { dtype: g.type });

  /** Two rows per block of columns: the bf16 nearest to the bias, and the one nearest to what is left. */
  function biasRows(b: Node): Node {
    const wide = b.type.dtype === "f32" ? b : cast(b, { dtype: "f32" });
    const byTile = transpose(reshape(padded(wide, 0, full.n), { shape: [tiles, columns, cores, tile.n / nb, nb] }), {
      perm: [1, 0, 2, 3, 4],
    });
    const groups = Math.ceil(tile.n / nb / biasGroups) * biasGroups;
    const lanes = reshape(padded(byTile, 3, groups), { shape: [columns, tiles, 1, cores, groups, 1, nb] });
    const high = cast(cast(lanes, { dtype: "bf16" }), { dtype: "f32" });
    const pairs = concat([high, sub(lanes, high)], { axis: 5 });
    return repeated(reshape(pairs, { shape: [columns, tiles, 1, cores, groups * 2 * nb] }), chunks, 2);
  }
}
