/** A GEMM plan as a configuration of the array and its runtime sequence. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import {
  bytesOf,
  type Core,
  type Design,
  type Dim,
  type Fifo,
  type Link,
  mem,
  type Step,
  sizeOf,
  type Tile,
} from "../design.ts";
import { gemmProgram } from "./gemm-core.ts";
import { isBBesideA } from "./gemm-limits.ts";
import { normLocals } from "./gemm-norm.ts";
import { columnNumbers, lowSums } from "./gemm-scale.ts";
import { type GemmTiles, isScaled, leavesAs, partsOf, rowsType } from "./gemm-shape.ts";
import { range } from "./range.ts";
import { batches, dims4 } from "./sequence.ts";

export function gemmDesign(machine: AieMachine, g: GemmTiles, name: string, about: readonly string[]): Design {
  const columns = range(machine.columns);
  const rows = range(machine.rows - 2);
  const shim = (col: number): Tile => ({ col, row: 0 });
  const memory = (col: number): Tile => ({ col, row: 1 });
  const core = (col: number, row: number): Tile => ({ col, row: row + 2 });
  const grid = g.mapping === "grid";
  const { m, k, n } = g.tile;
  const rowsOfTile = g.rows;
  const [mb, kb, nb] = g.block;
  const operandType = rowsType(g.type);
  /** Blocks of packed weights; of i4 a block is a row of bytes. */
  const chunks = (count: number) =>
    g.type === "i4" ? mem("i8", count * g.chunkBlocks, (kb * nb) / 2) : mem(g.type, count * g.chunkBlocks, kb, nb);
  const fifos: Fifo[] = [];
  const links: Link[] = [];
  const pass = (from: Fifo, to: readonly Fifo[], offsets: readonly number[] = []) => {
    fifos.push(from, ...to);
    links.push({ from: [from.name], to: to.map((f) => f.name), offsets });
  };

  // B: packed in the order of use.
  const chunk = chunks(1);
  const weightsOf = (c: number) => {
    const kept = g.sends.b > 1;
    const bytes = chunks(kept ? g.across.n * g.chunks : grid ? 1 : rows.length);
    const outs = grid ? [rows] : rows.map((r) => [r]);
    pass(
      {
        name: `b_in_${c}`,
        from: shim(c),
        to: [memory(c)],
        depth: g.depths.b,
        object: bytes,
        carries: `weights of column ${c}`,
      },
      outs.map((to, i) => ({
        name: grid ? `b_${c}` : `b_${c}_${i}`,
        from: memory(c),
        to: to.map((r) => core(c, r)),
        depth: 2,
        object: chunk,
        ...(kept && { repeat: g.sends.b }),
        carries: grid ? "the same for its cores" : `the part of core ${i}`,
      })),
      grid ? [] : rows.map((r) => r * sizeOf(chunk)),
    );
  };
  // A: pieces of rows, one step of K after the other, or a panel of rows; the memory tile cuts them into blocks of the matrix unit, by
  // depth, then by row.
  const piece = m / g.pieces;
  const inA = g.objects.a / bytesOf[operandType];
  const width = grid ? k : g.panel;
  const blocksOfA: Dim[] = [
    ...(inA > piece * width ? [{ size: inA / (piece * width), stride: piece * width }] : []),
    { size: width / kb, stride: kb },
    { size: piece, stride: width },
    { size: kb, stride: 1 },
  ];
  const rowsFor = (r: number) => {
    const to = grid ? columns.map((c) => core(c, r)) : columns.flatMap((c) => rows.map((q) => core(c, q)));
    const carries = grid ? `rows of A for row ${r} of the array` : "A for all cores";
    pass(
      {
        name: `a_in_${r}`,
        from: shim(r),
        to: [memory(r)],
        depth: g.depths.a,
        object: mem(operandType, inA / width, width),
        carries,
      },
      [
        {
          name: `a_${r}`, from: memory(r), to, depth: 2, object: mem(operandType, (k / kb) * (piece / mb), mb, kb),
          toStream: blocksOfA, ...(g.sends.a > 1 && { repeat: g.sends.a }), carries: "the same in blocks",
        }, // biome-ignore format: what belongs together
      ],
    );
  };
  // C: the blocks of a column's cores join in its memory tile, which writes rows, one core's after the other's.
  const parts = partsOf(g);
  const rowsOfPart = rowsOfTile / parts;
  const rowsOfC: Dim[] = [
    { size: rowsOfPart / mb, stride: mb * n },
    { size: mb, stride: nb },
    { size: n / nb, stride: mb * nb },
    { size: nb, stride: 1 },
  ];
  const share = rows.length / g.halves;
  const resultsOf = (c: number, h: number) => {
    const ofCores = rows.slice(h * share, (h + 1) * share).map((r): Fifo => ({
        name: `c_${c}_${r}`, from: core(c, r), to: [memory(c)], depth: parts > 1 ? [parts, parts] : g.inPlace || 2, object: mem(leavesAs(g), (g.strip / mb) * (n / nb), mb, nb),
        carries: g.inPlace && parts === 1 ? "a tile of the result" : "rows of a tile of the result",
      })); // biome-ignore format: what belongs together
    const all: Fifo = {
        name: outName(g, c, h), from: memory(c), to: [shim(c)], depth: 2, object: mem(leavesAs(g), share * rowsOfPart * n),
        toStream: rowsOfC, carries: `results of column ${c}, in rows`,
      }; // biome-ignore format: what belongs together
    fifos.push(...ofCores, all);
    links.push({
      from: ofCores.map((f) => f.name),
      to: [all.name],
      offsets: ofCores.map((_, i) => i * rowsOfPart * n),
    });
  };
  // FIFOs take channels of a memory tile, and with them their descriptors, in this order.
  const rowsOfA = grid ? rows : [0];
  const streams = range(g.halves);
  if (isBBesideA(machine, g)) {
    for (const c of columns) resultsOf(c, 0);
    rowsOfA.forEach(rowsFor);
    for (const c of columns) for (const h of streams.slice(1)) resultsOf(c, h);
    columns.forEach(weightsOf);
  } else {
    columns.forEach(weightsOf);
    rowsOfA.forEach(rowsFor);
    for (const c of columns) for (const h of streams) resultsOf(c, h);
  }

  const program = gemmProgram(g);
  const cores = columns.flatMap((c) =>
    rows.map(
      (r): Core => ({
        tile: core(c, r),
        stack: machine.stackBytes,
        locals: [
          ...(g.inPlace ? [] : [{ name: "acc", type: mem(g.accumulator, (m / mb) * (n / nb), mb, nb) }]),
          ...(g.kinds.some(({ norm }) => norm) ? normLocals(g) : []),
          ...(isScaled(g) ? columnNumbers(g) : []),
          ...lowSums(g),
        ],
        ports: { a: grid ? `a_${r}` : "a_0", b: grid ? `b_${c}` : `b_${c}_${r}`, c: `c_${c}_${r}` },
        program,
      }),
    ),
  );
  const weights = g.across.n * g.chunks * sizeOf(chunk) * machine.columns * (grid ? 1 : rows.length);
  return {
    name,
    about,
    device: machine.device,
    fifos,
    links,
    cores,
    runs: [
      {
        name,
        args: [
          { name: "a", role: "in", type: mem(operandType, g.padded.m * (g.rowBytes ?? 1) * g.k) },
          { name: "b", role: "weight", type: mem(operandType, weights) },
          { name: "c", role: "out", type: mem(leavesAs(g), g.padded.m * g.padded.n) },
        ],
        sequence: sequence(machine, g, weights),
      },
    ],
  };
}

/** Block of rows after block of rows, two of them in flight: the next one's descriptors are written while one runs. */
function sequence(machine: AieMachine, g: GemmTiles, weights: number): Step[] {
  const columns = range(machine.columns);
  const rows = machine.rows - 2;
  const grid = g.mapping === "grid";
  const { m, n } = g.tile;
  const outRows = g.rows;
  const outColumns = n * rows;
  const perColumn = weights / machine.columns;
  // A descriptor repeats A for at most `iterationMax` blocks of columns; a memory tile that keeps A sends it again itself.
  const repeats = batches(g.across.n / g.sends.a, machine.iterationMax);
  const perBlock = repeats.length + 1 + g.halves;
  /** Results of one part of a column in a block of rows: they lie in the order in which they leave. */
  const inHalf = (g.across.n * rows * outRows * n) / g.halves;
  const block = (mi: number): Step[] => {
    const base = (mi % 2) * perBlock;
    const rowsOfA = grid ? range(rows) : [0];
    return [
      ...rowsOfA.flatMap(
        (r) =>
        repeats.map((count, i): Step => ({
          kind: "copy", arg: 0, fifo: `a_in_${r}`, id: base + i, offset: (mi * rowsOfA.length + r) * m * g.k, token: false,
          dims: [{ size: count, stride: 0 }, ...(grid
            ? dims4({ size: m * g.k, stride: 1 }).slice(1)
            : [{ size: g.k / g.panel, stride: g.panel }, { size: m, stride: g.k }, { size: g.panel, stride: 1 }])],
        })), // biome-ignore format: what belongs together
      ),
      ...columns.flatMap((c): Step[] => [
        ...(mi % g.sends.b > 0 ? [] : [{ kind: "copy", arg: 1, fifo: `b_in_${c}`, id: base + repeats.length, offset: c * perColumn, token: false, dims: dims4({ size: perColumn, stride: 1 }) } as const]),
        ...range(g.halves).map((h): Step => ({
          kind: "copy", arg: 2, fifo: outName(g, c, h), id: base + repeats.length + 1 + h, token: true,
          offset: mi * (g.padded.m / g.across.m) * g.padded.n + (grid ? (c * g.halves + h) * inHalf : c * outColumns),
          dims: grid
            ? dims4({ size: inHalf, stride: 1 })
            : [{ size: g.across.n, stride: outColumns * machine.columns }, { size: rows, stride: n }, { size: outRows, stride: g.padded.n }, { size: n, stride: 1 }],
        })),
      ]), // biome-ignore format: what belongs together
    ];
  };
  const wait = columns.flatMap((c) => range(g.halves).map((h): Step => ({ kind: "wait", fifo: outName(g, c, h) })));
  const steps: Step[] = [];
  for (let mi = 0; mi < g.across.m; mi++) {
    if (mi > 1) steps.push(...wait);
    steps.push(...block(mi));
  }
  return [...steps, ...wait, ...(g.across.m > 1 ? wait : [])];
}

/** The stream in which a part of a column's results leaves. */
const outName = (g: GemmTiles, column: number, half: number): string =>
  g.halves === 1 ? `c_out_${column}` : `c_out_${column}_${half}`;
