/**
 * Ops on rows: every core has rows of its own, memory tiles distribute and join them. Main memory sets the pace: two cores of a
 * column keep up with it where there are two operands, for which a memory tile has the channels.
 */
import { HeddleError } from "../../../ir/error.ts";
import type { Node } from "../../../ir/node.ts";
import { concat, reshape } from "../../../ir/ops/index.ts";
import type { AieMachine } from "../../../targets/aie-machine.ts";
import { costOf } from "../cost.ts";
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
import { range } from "./range.ts";
import { type RowOp, rowOps, rowProgram } from "./rows-core.ts";
import { dims4 } from "./sequence.ts";

export interface RowShape {
  readonly op: RowOp;
  readonly rows: number;
  /** Of rope: all heads side by side. */
  readonly width: number;
  readonly eps?: number;
  /** Of rope: sizes of a head. */
  readonly dim?: number;
}

interface RowTiles {
  /** Columns of the array, cores of each, rows of an object, and objects of a core. */
  readonly columns: number;
  readonly cores: number;
  readonly rows: number;
  readonly chunks: number;
  readonly padded: number;
  readonly memory: number;
}

const lanes = 16;
/** Descriptors of a shim tile that the transfers of one run may take. */
const transfers = 14;

function planRows(machine: AieMachine, s: RowShape): RowTiles {
  const { operands, params } = rowOps[s.op];
  const subject = `${s.op} of ${s.rows} rows of ${s.width}`;
  const own = s.dim ?? s.width;
  if (s.width % lanes || (operands === 3 && (own % (2 * lanes) || s.width % own)))
    throw new HeddleError(
      `rows are worked on ${lanes} values at a time, which do not divide ${operands === 3 ? `half of ${own}` : s.width}`,
      {
        subject,
        hint: "pad the width of the model",
      },
    );
  const cores = operands === 1 ? machine.rows - 2 : 2;
  const columns = Math.min(machine.columns, Math.ceil(s.rows / cores));
  const perRow = 2 * (2 * s.width) * 2 + (operands === 2 ? 4 * s.width : operands === 3 ? 3 * own : 0);
  const room = machine.tiles.compute.memoryBytes - machine.stackBytes - params * s.width * 4;
  const most = Math.floor(room / perRow);
  const need = Math.ceil(s.rows / (cores * columns));
  if (most < 1) throw new HeddleError(`a row takes ${perRow} bytes, more than a core has`, { subject });
  const rows = Math.ceil(need / Math.ceil(need / Math.min(most, need)));
  const chunks = Math.ceil(need / rows);
  if (operands === 3 && 2 * chunks > transfers / 2)
    throw new HeddleError(
      `${s.rows} rows take ${chunks} turns, for whose angles a shim tile has not enough descriptors`,
      {
        subject,
        hint: `${(transfers / 4) * rows * cores * columns} rows at a time`,
      },
    );
  const memory = rows * perRow + params * s.width * 4 + machine.stackBytes;
  return { columns, cores, rows, chunks, padded: chunks * rows * cores * columns, memory };
}

/** @throws HeddleError for widths that do not fit the vector unit or a core. */
export function rowKernel(
  machine: AieMachine,
  s: RowShape,
  { name, about }: { readonly name: string; readonly about: readonly string[] },
): KernelPlan {
  const t = planRows(machine, s);
  const { operands, params, cycles } = rowOps[s.op];
  const lines = [
    `${s.op} of ${s.rows} rows of ${s.width}${s.dim ? `, heads of ${s.dim}` : ""}`,
    `${t.columns} columns x ${t.cores} cores, ${t.rows} rows at a time, ${t.chunks} times; core memory ${t.memory} bytes`,
    ...(t.padded === s.rows ? [] : [`rows ${s.rows} are padded to ${t.padded} with zeros`]),
  ];
  const half = (s.dim ?? 0) / 2;
  const value = (holds: AieBuffer["holds"], width: number): AieBuffer => ({
    holds,
    dtype: "bf16",
    shape: [t.padded, width],
  });
  const parameters: AieBuffer = {
    holds: 1,
    dtype: "f32",
    shape: [params, s.width],
    pack: (scale, columns) => rowsOf(s.width, columns?.bias ? [scale, columns.bias] : [scale]),
  };
  const buffers = [
    value(0, s.width),
    ...(params
      ? [parameters]
      : operands === 2
        ? [value(1, s.width)]
        : operands === 3
          ? [value(1, half), value(2, half)]
          : []),
    value("result", s.width),
  ];
  const bytes = t.padded * s.width * 2 * (operands === 2 ? 3 : 2) + t.padded * half * 4;
  const cost = costOf(machine, {
    macs: 0,
    cycles: ((t.chunks * t.rows * s.width) / lanes) * cycles,
    streamBytes: t.chunks * t.rows * s.width * 2,
    traffic: [{ bytes, run: t.rows * t.cores * s.width * 2 }],
    channelBytes: t.chunks * t.rows * t.cores * s.width * 2,
  });
  return { kernel: "rows", name, design: design(machine, s, t, name, [...about, ...lines]), buffers, lines, cost };
}

const rowsOf = (width: number, vectors: readonly Node[]): Node =>
  concat(
    vectors.map((v) => reshape(v, { shape: [1, width] })),
    { axis: 0 },
  );

function design(machine: AieMachine, s: RowShape, t: RowTiles, name: string, about: readonly string[]): Design {
  const { operands, params } = rowOps[s.op];
  const half = (s.dim ?? 0) / 2;
  const used = range(t.columns);
  const core = (col: number, row: number): Tile => ({ col, row: row + 2 });
  const fifos: Fifo[] = [];
  const links: Link[] = [];
  const spread = (c: number, port: string, width: number, carries: string) => {
    const from = { name: `${port}_in_${c}`, from: { col: c, row: 0 }, to: [{ col: c, row: 1 }], depth: 2 };
    const parts = range(t.cores).map((r): Fifo => ({
      name: `${port}_${c}_${r}`, from: { col: c, row: 1 }, to: [core(c, r)], depth: 2, object: mem("bf16", t.rows, width), carries: `the part of core ${r}`,
    })); // biome-ignore format: what belongs together
    fifos.push({ ...from, object: mem("bf16", t.cores * t.rows * width), carries }, ...parts);
    links.push({ from: [from.name], to: parts.map((p) => p.name), offsets: parts.map((_, r) => r * t.rows * width) });
  };
  if (params) {
    const all = used.flatMap((c) => range(t.cores).map((r) => core(c, r)));
    const object = mem("f32", params, s.width);
    fifos.push(
      { name: "p_in", from: { col: 0, row: 0 }, to: [{ col: 0, row: 1 }], depth: 1, object, carries: "parameters" },
      { name: "p", from: { col: 0, row: 1 }, to: all, depth: 1, object, carries: "the same for all cores" },
    );
    links.push({ from: ["p_in"], to: ["p"], offsets: [] });
  }
  for (const c of used) {
    spread(c, "x", s.width, "rows");
    if (operands > 1) spread(c, "y", operands === 2 ? s.width : half, operands === 2 ? "rows" : "cosines, then sines");
    const parts = range(t.cores).map((r): Fifo => ({
      name: `out_${c}_${r}`, from: core(c, r), to: [{ col: c, row: 1 }], depth: 2, object: mem("bf16", t.rows, s.width), carries: "results",
    })); // biome-ignore format: what belongs together
    const size = t.rows * s.width;
    fifos.push(...parts, {
      name: `out_all_${c}`,
      from: { col: c, row: 1 },
      to: [{ col: c, row: 0 }],
      depth: 2,
      object: mem("bf16", t.cores * size),
      carries: "results in order",
    });
    links.push({ from: parts.map((p) => p.name), to: [`out_all_${c}`], offsets: parts.map((_, r) => r * size) });
  }
  const work = { op: s.op, width: s.width, eps: s.eps ?? 0, dim: s.dim ?? s.width };
  const program = rowProgram(work, t.chunks);
  const cores = used.flatMap((c) =>
    range(t.cores).map(
      (r): Core => ({
        tile: core(c, r),
        stack: machine.stackBytes,
        locals: operands === 3 ? [{ name: "cos", type: mem("bf16", t.rows, half) }] : [],
        ports: {
          x: `x_${c}_${r}`,
          out: `out_${c}_${r}`,
          ...(operands > 1 && { y: `y_${c}_${r}` }),
          ...(params > 0 && { p: "p" }),
        },
        program,
      }),
    ),
  );
  const arg = (argName: string, role: Arg["role"], width: number): Arg => ({
    name: argName,
    role,
    type: mem("bf16", t.padded * width),
  });
  const args: Arg[] = [
    arg("x", "in", s.width),
    ...(params ? [{ name: "p", role: "weight", type: mem("f32", params * s.width) } as const] : []),
    ...(operands === 2
      ? [arg("y", "in", s.width)]
      : operands === 3
        ? [arg("cos", "in", half), arg("sin", "in", half)]
        : []),
    arg("out", "out", s.width),
  ];
  return {
    name,
    about,
    device: machine.device,
    fifos,
    links,
    cores,
    runs: [{ name, args, sequence: sequence(s, t, args) }],
  };
}

function sequence(s: RowShape, t: RowTiles, args: readonly Arg[]): Step[] {
  const { operands, params } = rowOps[s.op];
  const half = (s.dim ?? 0) / 2;
  const block = t.cores * t.rows;
  const copy = (arg: string, fifo: string, id: number, offset: number, dims: Dim[], token = false): Step => ({
    kind: "copy", arg: args.findIndex((a) => a.name === arg), fifo, id, offset, dims: dims4(...dims), token,
  }); // biome-ignore format: what belongs together
  /** All rows of a column: blocks of consecutive rows, in pieces that a descriptor can count. */
  const all = (width: number): Dim[] => {
    const piece = largestDivisor(block * width, 1024);
    return [
      { size: t.chunks, stride: t.columns * block * width },
      { size: (block * width) / piece, stride: piece },
      { size: piece, stride: 1 },
    ];
  };
  const steps: Step[] = params ? [copy("p", "p_in", 15, 0, [{ size: params * s.width, stride: 1 }])] : [];
  const columns = range(t.columns);
  for (const c of columns) {
    const start = (width: number) => c * block * width;
    steps.push(copy("x", `x_in_${c}`, 0, start(s.width), all(s.width)));
    steps.push(copy("out", `out_all_${c}`, 1, start(s.width), all(s.width), true));
    if (operands === 2) steps.push(copy("y", `y_in_${c}`, 2, start(s.width), all(s.width)));
    if (operands === 3)
      for (let i = 0; i < t.chunks; i++)
        for (const [k, name] of ["cos", "sin"].entries())
          steps.push(
            copy(name, `y_in_${c}`, 2 + 2 * i + k, (i * t.columns + c) * block * half, [
              { size: block * half, stride: 1 },
            ]),
          );
  }
  return [...steps, ...columns.map((c): Step => ({ kind: "wait", fifo: `out_all_${c}` }))];
}

function largestDivisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}
