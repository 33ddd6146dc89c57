/** An attention plan as a configuration of the array, and the kernel of an attention op. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import {
  type Arg,
  type Core,
  type Design,
  type Dim,
  type Fifo,
  type Link,
  mem,
  type Step,
  type Tile,
} from "../design.ts";
import type { AieBuffer } from "../kernel.ts";
import type { KernelPlan } from "../plan.ts";
import { sizeOfTiling, type Tiling } from "../tiling.ts";
import { type AttentionShape, type AttentionTiles, panelsOf, planAttention } from "./attention.ts";
import { attentionLocals, attentionProgram } from "./attention-core.ts";
import { range } from "./range.ts";
import { batches, dims4 } from "./sequence.ts";

const inputs = { q: 0, k: 1, v: 2, o: 3, position: 4 } as const;

/** @throws HeddleError for shapes that the mapping does not have. */
export function attentionKernel(
  machine: AieMachine,
  shape: AttentionShape,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  const t = planAttention(machine, shape);
  const { tile, padded, columns } = t;
  const own = t.mapping === "own";
  const lines = [
    `${t.heads} heads over ${t.groups} of keys, ${t.queries} queries, ${t.keys} ${t.cached ? "places of a cache" : "keys"}, size ${t.dim}${t.window ? `, window ${t.window}` : ""}`,
    own
      ? `own: every core has heads of its own, ${columns.heads} columns x ${t.rows} rows, ${t.rounds} rounds`
      : `shared: a head per column at a time, ${columns.heads * columns.queries} columns, ${t.rounds} rounds, keys and values to all ${t.rows} cores`,
    `tiles of ${tile.q} rows of queries x ${tile.s} keys per core, panels of ${t.panel}; ${
      t.cached ? "all places are read, tiles that are masked are not computed" : "panels that are masked are not read"
    }`,
    `core memory ${t.memory.core} bytes, memory tile ${t.memory.tile} bytes`,
    ...(padded.queries === t.queries * t.share
      ? []
      : [`rows of queries ${t.queries * t.share} are padded to ${padded.queries}`]),
    ...(padded.keys === t.keys ? [] : [`keys ${t.keys} are padded to ${padded.keys} with zeros`]),
  ];
  return {
    kernel: "attention",
    name,
    design: design(machine, t, name, [...about, ...lines]),
    buffers: buffers(t),
    lines,
    cost: t.cost,
  };
}

/** Rows of queries of one block, and of the part of it that comes back. */
const outRows = (t: AttentionTiles): number => (t.mapping === "own" ? t.block : t.panel);

/** Operands q, k, v and for a cache the position. */
function buffers(t: AttentionTiles): AieBuffer[] {
  const { heads, groups, share, queries, keys, dim, padded } = t;
  const tiled = (holds: AieBuffer["holds"], tiling: Tiling): AieBuffer => ({
    holds,
    dtype: "bf16",
    shape: [sizeOfTiling(tiling)],
    tiling,
  });
  // Rows of queries are (token, head of the group).
  const q = tiled(0, queryTiling(t));
  const k = t.cached
    ? ({ holds: 1, dtype: "bf16", shape: [groups, dim, keys] } as const)
    : tiled(1, { shape: [groups, keys, dim], split: [[groups], [padded.keys], [dim]], order: [0, 2, 1] });
  const v = { holds: 2, dtype: "bf16", shape: [groups, padded.keys, dim] } as const;
  const o = tiled("result", {
    shape: [heads, queries, dim],
    split: [[groups, share], [t.blocks, Math.ceil(outRows(t) / share)], [dim]],
    order: [0, 2, 3, 1, 4],
  });
  // The bits of an integer, not its value.
  const position = { holds: 3, dtype: "bf16", shape: [t.tile.s * dim] } as const;
  return [q, k, v, o, ...(t.cached ? [position] : [])];
}

/**
 * Queries as columns of panels, as keys lie: rows of queries are (token, head of the group). The memory tile cuts a panel into 8 x 4 for
 * both; where the matrix unit takes 8 x 8 queries, two of those blocks that follow each other are one of these: 4 columns hold half the
 * dimensions of 8 queries, each dimension in two rows, one for either half of the queries.
 */
function queryTiling({ heads, groups, share, queries, dim, blocks, panel, block }: AttentionTiles): Tiling {
  const shape = [heads, queries, dim];
  if (block === 4) return { shape, split: [[groups, share], [blocks, panel / share], [dim]], order: [0, 2, 4, 3, 1] };
  if (share >= block)
    return {
      shape,
      split: [[groups, share / 8, 2, 4], [blocks, panel / share], [2, dim / 2]],
      order: [0, 4, 7, 2, 5, 1, 6, 3],
    }; // biome-ignore format: axes
  return {
    shape,
    split: [[groups, share], [blocks, panel / 8, 2, 4 / share], [2, dim / 2]],
    order: [0, 2, 7, 4, 3, 6, 5, 1],
  }; // biome-ignore format: axes
}

function design(machine: AieMachine, t: AttentionTiles, name: string, about: readonly string[]): Design {
  const { dim, panel, tile, rows } = t;
  const own = t.mapping === "own";
  const used = range(t.columns.heads * t.columns.queries);
  const core = (col: number, row: number): Tile => ({ col, row: row + 2 });
  const fifos: Fifo[] = [];
  const links: Link[] = [];
  const turned: Dim[] = [
    { size: panel / 4, stride: 4 },
    { size: dim / 8, stride: 8 * panel },
    { size: 8, stride: panel },
    { size: 4, stride: 1 },
  ];
  const straight: Dim[] = [
    { size: tile.s / 8, stride: 8 * dim },
    { size: dim / 4, stride: 4 },
    { size: 8, stride: dim },
    { size: 4, stride: 1 },
  ];
  for (const c of used) {
    const shim: Tile = { col: c, row: 0 };
    const memory: Tile = { col: c, row: 1 };
    const spread = (
      from: string,
      elements: number,
      toStream: readonly Dim[],
      object: readonly number[],
      carries: string,
    ) => {
      const parts = own ? rows : 1;
      const outs = range(parts).map(
        (r): Fifo => ({
          name: own ? `${from}_${c}_${r}` : `${from}_${c}`,
          from: memory,
          to: own ? [core(c, r)] : range(rows).map((q) => core(c, q)),
          depth: 2,
          object: mem("bf16", ...object),
          toStream,
          carries: own ? `the part of core ${r} in blocks` : "the same in blocks, for all its cores",
        }),
      );
      fifos.push(
        { name: `${from}_in_${c}`, from: shim, to: [memory], depth: 2, object: mem("bf16", parts * elements), carries },
        ...outs,
      );
      links.push({
        from: [`${from}_in_${c}`],
        to: outs.map((f) => f.name),
        offsets: own ? outs.map((_, i) => i * elements) : [],
      });
    };
    spread("qk", dim * panel, turned, [(tile.s / 4) * (dim / 8), 8, 4], "queries, then panels of keys, turned");
    spread(
      "v",
      tile.s * dim,
      straight,
      [(tile.s / 8) * (dim / 4), 8, 4],
      t.cached ? "the position, then tiles of values" : "tiles of values",
    );
    const size = tile.q * dim;
    const parts = range(rows).map((r): Fifo => ({
      name: `o_${c}_${r}`, from: core(c, r), to: [memory], depth: 1, object: mem("bf16", (tile.q * dim) / 32, t.block, 32 / t.block), carries: "a tile of the result",
    })); // biome-ignore format: what belongs together
    const toStream: Dim[] = [
      { size: tile.q / t.block, stride: t.block * dim },
      { size: t.block, stride: 32 / t.block },
      { size: (dim * t.block) / 32, stride: 32 },
      { size: 32 / t.block, stride: 1 },
    ];
    fifos.push(...parts, {
      name: `o_out_${c}`,
      from: memory,
      to: [shim],
      depth: 2,
      object: mem("bf16", rows * size),
      toStream,
      carries: "results in rows",
    });
    links.push({ from: parts.map((f) => f.name), to: [`o_out_${c}`], offsets: range(rows).map((r) => r * size) });
  }
  const cores = used.flatMap((c) =>
    range(rows).map(
      (r): Core => ({
        tile: core(c, r),
        stack: machine.stackBytes,
        locals: attentionLocals(t),
        ports: { qk: own ? `qk_${c}_${r}` : `qk_${c}`, v: own ? `v_${c}_${r}` : `v_${c}`, o: `o_${c}_${r}` },
        program: attentionProgram(t, r, c % t.columns.queries),
      }),
    ),
  );
  const args: Arg[] = [
    { name: "q", role: "in", type: mem("bf16", t.groups * t.blocks * dim * panel) },
    { name: "k", role: "in", type: mem("bf16", t.groups * dim * t.padded.keys) },
    { name: "v", role: "in", type: mem("bf16", t.groups * dim * t.padded.keys) },
    { name: "o", role: "out", type: mem("bf16", t.groups * t.blocks * outRows(t) * dim) },
    ...(t.cached ? [{ name: "position", role: "in", type: mem("bf16", tile.s * dim) } as const] : []),
  ];
  return { name, about, device: machine.device, fifos, links, cores, args, sequence: sequence(machine, t) };
}

/** Heads and blocks of queries one after the other in every column, two in flight. */
function sequence(machine: AieMachine, t: AttentionTiles): Step[] {
  const { dim, panel, tile, rows, rounds, padded } = t;
  const own = t.mapping === "own";
  const parts = own ? rows : 1;
  const used = range(t.columns.heads * t.columns.queries);
  const turns = t.blocks / t.columns.queries;
  const copy = (arg: keyof typeof inputs, fifo: string, id: number, offset: number, dims: Dim[], token = false): Step => ({
    kind: "copy", arg: inputs[arg], fifo, id, offset, dims: dims4(...dims), token,
  }); // biome-ignore format: what belongs together
  const steps: Step[] = [];
  const items = rounds * turns;
  // Descriptor 0 is the position's; the others alternate between two items in flight.
  if (t.cached)
    for (const c of used)
      steps.push(copy("position", `v_in_${c}`, 0, 0, [{ size: parts, stride: 0 },
          { size: 1, stride: 0 }, { size: tile.s, stride: dim }, { size: dim, stride: 1 }])); // biome-ignore format: place
  const perItem = 3 + (own ? batches(padded.keys / tile.s, machine.iterationMax).length : 1);
  const wait = used.map((c): Step => ({ kind: "wait", fifo: `o_out_${c}` }));
  for (let item = 0; item < items; item++) {
    if (item > 1) steps.push(...wait);
    const base = 1 + (item % 2) * perItem;
    const [round, turn] = [Math.floor(item / turns), item % turns];
    for (const c of used) {
      const column = Math.floor(c / t.columns.queries);
      const block = turn * t.columns.queries + (c % t.columns.queries);
      const group = (round * t.columns.heads + column) * parts;
      const cache = group * dim * padded.keys;
      const { first, count } = panelsOf(t, block);
      const line: Dim = { size: panel, stride: 1 };
      steps.push(
        copy("q", `qk_in_${c}`, base, (group * t.blocks + block) * dim * panel, [
          { size: parts * dim * panel, stride: 1 },
        ]),
        copy("k", `qk_in_${c}`, base + 1, cache + first * panel, [
          { size: count, stride: panel },
          ...(own ? [{ size: parts, stride: dim * padded.keys }] : []),
          { size: dim, stride: padded.keys },
          line,
        ]),
      );
      if (own) {
        let at = 0;
        for (const [i, n] of batches((count * panel) / tile.s, machine.iterationMax).entries()) {
          steps.push(
            copy("v", `v_in_${c}`, base + 3 + i, cache + at * tile.s * dim, [
              { size: n, stride: tile.s * dim },
              { size: parts, stride: dim * padded.keys },
              { size: tile.s, stride: dim },
              { size: dim, stride: 1 },
            ]),
          );
          at += n;
        }
      } else
        steps.push(
          copy("v", `v_in_${c}`, base + 3, cache + first * panel * dim, [{ size: count * panel * dim, stride: 1 }]),
        );
      const out = outRows(t) * dim;
      steps.push(
        copy("o", `o_out_${c}`, base + 2, (group * t.blocks + block) * out, [{ size: parts * out, stride: 1 }], true),
      );
    }
  }
  return [...steps, ...wait, ...(items > 1 ? wait : [])];
}
