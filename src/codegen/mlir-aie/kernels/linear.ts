/** The kernel of a `linear`: x [M, K], w [N, K] as checkpoints and graphs have it, bias [N]; the result [M, N]. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { KernelPlan, Operand } from "../plan.ts";
import { rows, type Tiling } from "../tiling.ts";
import { type GemmShape, type GemmTiles, planGemm } from "./gemm.ts";
import { gemmDesign } from "./gemm-design.ts";

/** @throws HeddleError for a shape that the matrix unit does not take. */
export function linearKernel(
  machine: AieMachine,
  shape: GemmShape,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  const g = planGemm(machine, shape);
  const { m, k, n } = g;
  const { tile, padded, memory } = g;
  const pad = (what: string, from: number, to: number) =>
    from === to ? [] : [`${what} ${from} is padded to ${to} with zeros`];
  const lines = [
    `${m} x ${k} x ${n}, ${g.type} into ${g.accumulator}, result ${g.out}${g.bias ? ", bias" : ""}${g.activation ? `, ${g.activation}` : ""}`,
    g.mapping === "grid"
      ? `grid: A along the rows of the array, B along its columns, ${g.across.m} x ${g.across.n} blocks`
      : `skinny: A to all cores, B distributed, ${g.across.n} rounds`,
    `tile ${tile.m} x ${tile.k} x ${tile.n} per core, ${g.chunks} steps of K, results in strips of ${g.strip} rows`,
    `A in panels of ${g.panel} columns; core memory ${memory.core} bytes, memory tile ${memory.tile} bytes`,
    ...pad("M", m, padded.m),
    ...pad("N", n, padded.n),
  ];
  const design = gemmDesign(machine, g, name, [...about, ...lines]);
  const x: Operand = { source: "x", tiling: rows(m, k, padded.m, k) };
  const out: Operand = { source: "out", tiling: rows(m, n, padded.m, padded.n) };
  return { kernel: "gemm", name, design, operands: [x, weights(machine, g), out], lines, cost: g.cost };
}

/** B in the order of use: column of the array, its tiles, steps of K, for a skinny product its cores, blocks by depth. */
function weights(machine: AieMachine, g: GemmTiles): Operand {
  const [, kb, nb] = g.block;
  const { tile, across, chunks } = g;
  const cores = g.mapping === "grid" ? 1 : machine.rows - 2;
  const inColumns = [across.n, machine.columns, cores, tile.n / nb, nb];
  const tiling: Tiling = {
    shape: [g.n, g.k],
    split: [inColumns, [chunks, tile.k / kb, kb]],
    order: [1, 0, 5, 2, 6, 3, 7, 4],
  };
  if (!g.bias) return { source: "w", tiling };
  const chunk = tile.k * tile.n;
  const biasTiling: Tiling = { shape: [g.n], split: [[across.n, machine.columns, cores, tile.n]], order: [1, 0, 2, 3] };
  const columns = { per: tile.n, chunks, beside: cores, block: [kb, nb] } as const;
  return {
    source: "w",
    tiling,
    bias: { source: "b", chunk, extra: g.chunkBlocks * kb * nb - chunk, columns, tiling: biasTiling },
  };
}
