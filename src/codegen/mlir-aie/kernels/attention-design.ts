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
import type { KernelPlan } from "../plan.ts";
import { type AttentionShape, type AttentionTiles, panelsOf, planAttention } from "./attention.ts";
import { attentionBuffers, outRows } from "./attention-buffers.ts";
import { attentionLocals, attentionProgram } from "./attention-core.ts";
import { range } from "./range.ts";
import { batches, dims4 } from "./sequence.ts";

const inputs = { q: 0, k: 1, v: 2, o: 3, position: 4 } as const;

/** @throws HeddleError for shapes that the mapping does not have. */
export const attentionKernel = (
  machine: AieMachine,
  shape: AttentionShape,
  as: { readonly name: string; readonly about: readonly string[] },
): KernelPlan => attentionOf(machine, planAttention(machine, shape), as);

/** The kernel of a choice of tiles. */
export function attentionOf(
  machine: AieMachine,
  t: AttentionTiles,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  const { band } = t;
  const { tile, padded, columns } = t;
  const own = t.mapping === "own";
  const lines = [
    `${t.heads} heads over ${t.groups} of keys, ${t.queries} queries, ${t.keys} ${t.cached ? "places of a cache" : "keys"}, size ${t.dim}${t.window ? `, window ${t.window}` : ""}`,
    band
      ? `${own ? "own: every core has heads of its own" : "shared: a head at a time, keys and values to all cores"}, ${t.rows} cores from row ${band.firstRow} of the array on, ${t.rounds} rounds`
      : own
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
    buffers: attentionBuffers(t),
    lines,
    cost: t.cost,
  };
}

function design(machine: AieMachine, t: AttentionTiles, name: string, about: readonly string[]): Design {
  const { dim, panel, tile, rows } = t;
  const own = t.mapping === "own";
  const used = range(t.columns.heads * t.columns.queries);
  const core = (c: number, r: number): Tile => coreOf(machine, t, c, r);
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
    const spread = (
      from: "qk" | "v",
      elements: number,
      toStream: readonly Dim[],
      object: readonly number[],
      carries: string,
    ) => {
      const col = t.band ? machine.columns - (from === "qk" ? 2 : 1) : c;
      const [shim, memory]: [Tile, Tile] = [
        { col, row: 0 },
        { col, row: 1 },
      ];
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
    const toStream: Dim[] = [
      { size: tile.q / t.block, stride: t.block * dim },
      { size: t.block, stride: 32 / t.block },
      { size: (dim * t.block) / 32, stride: 32 },
      { size: 32 / t.block, stride: 1 },
    ];
    for (const { col, rows: joined } of outputs(machine, t, c)) {
      const memory: Tile = { col, row: 1 };
      const parts = joined.map((r): Fifo => ({
        name: `o_${c}_${r}`, from: core(c, r), to: [memory], depth: 1, object: mem("bf16", size / 32, t.block, 32 / t.block), carries: "a tile of the result",
      })); // biome-ignore format: what belongs together
      fifos.push(...parts, {
        name: `o_out_${col}`,
        from: memory,
        to: [{ col, row: 0 }],
        depth: 2,
        object: mem("bf16", joined.length * size),
        toStream,
        carries: "results in rows",
      });
      const offsets = parts.length > 1 ? parts.map((_, i) => i * size) : [];
      links.push({ from: parts.map((f) => f.name), to: [`o_out_${col}`], offsets });
    }
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
  return {
    name,
    about,
    device: machine.device,
    fifos,
    links,
    cores,
    runs: [{ name, args, sequence: sequence(machine, t) }],
  };
}

/** Where core `r` of those that work together in column `c` is. */
const coreOf = (machine: AieMachine, { band }: AttentionTiles, c: number, r: number): Tile =>
  band ? { col: r % machine.columns, row: band.firstRow + Math.floor(r / machine.columns) } : { col: c, row: r + 2 };

/** Columns of the array through which the results of a column of cores leave, and of which cores. */
function outputs(machine: AieMachine, t: AttentionTiles, c: number) {
  const rows = range(t.rows);
  const columns = [...new Set(rows.map((r) => coreOf(machine, t, c, r).col))];
  return columns.map((col) => ({ col, rows: rows.filter((r) => coreOf(machine, t, c, r).col === col) }));
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
  const wait = used.flatMap((c) =>
    outputs(machine, t, c).map(({ col }): Step => ({ kind: "wait", fifo: `o_out_${col}` })),
  );
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
      // Of all cores that work together: rows of one block, or blocks of the heads that follow each other.
      const out = outRows(t) * dim;
      const apart = own ? t.blocks * out : tile.q * dim;
      for (const { col, rows: joined } of outputs(machine, t, c)) {
        const offset = (group * t.blocks + block) * out + joined[0]! * apart;
        const dims = t.band
          ? [
              { size: joined.length, stride: machine.columns * apart },
              { size: tile.q, stride: dim },
              { size: dim, stride: 1 },
            ]
          : [{ size: parts * out, stride: 1 }];
        steps.push(copy("o", `o_out_${col}`, base + 2, offset, dims, true));
      }
    }
  }
  return [...steps, ...wait, ...(items > 1 ? wait : [])];
}
