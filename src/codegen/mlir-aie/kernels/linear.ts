/** The kernel of a `linear`: x [M, K], w [N, K] as checkpoints and graphs have it, bias [N]; the result [M, N]. */

import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { AieBuffer } from "../kernel.ts";
import type { KernelPlan } from "../plan.ts";
import type { Tiling } from "../tiling.ts";
import { planGemm } from "./gemm.ts";
import { isSmall } from "./gemm-cost.ts";
import { gemmDesign } from "./gemm-design.ts";
import { type GemmShape, type GemmTiles, isScaled, partsOf, rowsType } from "./gemm-shape.ts";
import { packedWeights } from "./pack-weights.ts";

/**
 * Operands x and w; bias and scales are packed with w.
 * @throws HeddleError for a shape that the matrix unit does not take.
 */
export function linearKernel(
  machine: AieMachine,
  shape: GemmShape,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  return gemmKernel(machine, planGemm(machine, shape), { name, about });
}

/** The kernel of a choice of tiles. */
export function gemmKernel(
  machine: AieMachine,
  g: GemmTiles,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  const { m, k, n } = g;
  const { tile, padded, memory } = g;
  const leaving = partsOf(g);
  const pad = (what: string, from: number, to: number) =>
    from === to ? [] : [`${what} ${from} is padded to ${to} with zeros`];
  const again = (what: string, times: number) => (times > 1 ? `, ${what} sent ${times} times by the memory tiles` : "");
  const lines = [
    `${m} x ${k} x ${n}, ${g.rowBytes === 2 ? "i16 as two i8 by " : ""}${g.type} into ${g.accumulator}, result ${g.out}${isScaled(g) ? " with a scale per column" : ""}${g.shift ? ` over 2^${g.shift}` : ""}${g.norm ? `, rows ${g.norm.centred ? "centred and " : ""}scaled to 1` : ""}${g.bias ? ", bias" : ""}${g.activation ? `, ${g.activation}` : ""}`,
    g.mapping === "grid"
      ? `grid: A along the rows of the array, B along its columns, ${g.across.m} x ${g.across.n} blocks`
      : `skinny: A to all cores, B distributed, ${g.across.n} rounds`,
    `tile ${tile.m} x ${tile.k} x ${tile.n} per core, ${g.chunks} steps of K, ${leaving > 1 ? `results in ${leaving} parts that leave as they are finished` : g.inPlace ? `room for ${g.inPlace} of its results` : `results in strips of ${g.strip} rows`}`,
    `A in ${g.pieces > 1 ? `${g.pieces} pieces of its rows` : `panels of ${g.panel} columns`}${again("A", g.sends.a)}${again("B", g.sends.b)}; core memory ${memory.core} bytes, memory tile ${memory.tile} bytes`,
    ...(isScaled(g)
      ? [
          `floats of sums: in one step where a core's columns keep them within 2^22, which their weights say; the model takes ${isSmall(g) ? "all" : "none"} to be so`,
        ]
      : []),
    ...pad("M", m, padded.m),
    ...pad("N", n, padded.n),
  ];
  const design = gemmDesign(machine, g, name, [...about, ...lines]);
  const packed = design.runs[0]!.args[1]!.type.shape;
  const rowTiles = padded.m / g.rows;
  const { across, pieces } = g;
  const grid = g.mapping === "grid";
  const chunks = grid ? g.chunks : 1;
  /** Pieces of a tile's rows by step of K; where an element is two bytes, rows of the high ones and then those of the low ones: all, or a part's. */
  const [planes, parts] = g.rowBytes === 2 ? [2, Math.max(1, pieces / 2)] : [1, pieces];
  const split = [
    [rowTiles, parts, g.rows / parts],
    [chunks, k / chunks],
  ] as const;
  const rowTiling: Tiling | undefined =
    planes === 2
      ? { shape: [2, m, k], split: [[2], ...split], order: leaving > 1 ? [1, 4, 2, 0, 3, 5] : [1, 4, 0, 2, 3, 5] }
      : grid
        ? { shape: [m, k], split, order: [0, 3, 1, 2, 4] }
        : undefined; // biome-ignore format: a tensor's axes
  const rowsOfTile = leaving > 1 ? [leaving, g.strip] : [g.rows];
  const rowsOfHalf = rowTiles / across.m / g.halves;
  /** Tiles of the result as they leave: by column of the array, and half of it. */
  const resultTiling: Tiling | undefined = grid
    ? {
        shape: [m, n],
        split: [[across.m, g.halves, rowsOfHalf, ...rowsOfTile], [across.n, machine.columns, tile.n]],
        order: leaving > 1 ? [0, 6, 1, 5, 3, 2, 4, 7] : [0, 5, 1, 4, 2, 3, 6],
      }
    : undefined; // biome-ignore format: a tensor's axes
  const buffers: AieBuffer[] = [
    {
      holds: 0,
      dtype: rowsType(g.type),
      shape: [padded.m * (g.rowBytes ?? 1), k],
      ...(rowTiling && { tiling: rowTiling }),
    },
    { holds: 1, dtype: rowsType(g.type), shape: packed, pack: (w, columns) => packedWeights(machine, g, w, columns) },
    { holds: "result", dtype: g.out, shape: [padded.m, padded.n], ...(resultTiling && { tiling: resultTiling }) },
  ];
  return { kernel: "gemm", name, design, buffers, lines, cost: g.cost };
}
