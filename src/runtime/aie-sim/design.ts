/** A module as the array sees it: tiles, FIFOs, links, cores, explicit DMA programs, and what the host does. */
import { HeddleError, type Loc } from "../../ir/error.ts";
import { nearest } from "../../ir/nearest.ts";
import { type AieMachine, type TileKind, type TileLimits, tileKind } from "../../targets/aie-machine.ts";
import type { Attr } from "./mlir/attribute.ts";
import { bodyOf, flagAttr, intAttr, intsAttr, type Op, stringAttr, type Value, walk } from "./mlir/op.ts";
import type { MemRefType } from "./mlir/type.ts";
import type { Dim } from "./pattern.ts";

export interface Tile {
  /** `(0, 2)`: column, row. */
  readonly name: string;
  readonly col: number;
  readonly row: number;
  readonly kind: TileKind;
  readonly limits: TileLimits;
}

export interface Fifo {
  readonly name: string;
  readonly producer: Tile;
  readonly consumers: readonly { readonly tile: Tile; readonly dims: readonly Dim[] }[];
  /** In elements, as written. */
  readonly dims: readonly Dim[];
  /** One number for both ends, or the producer's and each consumer's. */
  readonly depth: number | readonly number[];
  readonly type: MemRefType;
  readonly viaDma: boolean;
  readonly repeat: number;
  readonly loc: Loc;
}

export interface Link {
  readonly ins: readonly Fifo[];
  readonly outs: readonly Fifo[];
  /** Of the parts in the whole, in elements: of the inputs of a join, of the outputs of a distribute. */
  readonly offsets: readonly number[];
  readonly kind: "join" | "distribute" | "forward";
  readonly tile: Tile;
  readonly loc: Loc;
}

export interface Core {
  readonly tile: Tile;
  readonly op: Op;
  readonly stackBytes: number;
}

export interface Device {
  readonly machine: AieMachine;
  readonly file: string;
  readonly module: Op;
  readonly device: Op;
  readonly fifos: readonly Fifo[];
  readonly links: readonly Link[];
  readonly cores: readonly Core[];
  readonly functions: ReadonlyMap<string, Op>;
  /** Runtime sequences, at least one, of names of their own. */
  readonly sequences: readonly { readonly name: string; readonly op: Op }[];
  /** The tile of a value: what `aie.tile` yields. */
  tileOf(value: Value, op: Op): Tile;
  fifoOf(name: string, op: Op): Fifo;
}

/** Error about an op of the text. */
export const failAt = (loc: Loc, subject: string, reason: string, hint?: string): never => {
  throw new HeddleError(reason, { subject, loc, hint });
};

const supported = new Set([
  ...["aie.tile", "aie.objectfifo", "aie.objectfifo.link", "aie.core", "aie.buffer", "aie.lock", "aie.mem"],
  ...["aie.memtile_dma", "aie.flow", "aie.shim_dma_allocation", "aie.runtime_sequence", "aie.end", "func.func"],
]);

/** @param module as parsed. @param machine what it must fit; its columns count. @throws HeddleError naming the op and line. */
export function readDesign(module: Op, machine: AieMachine, file: string): Device {
  const devices = bodyOf(module).ops.filter((o) => o.name === "aie.device");
  const device = devices[0];
  if (!device || devices.length > 1)
    return failAt(module.loc, "module", `has ${devices.length} aie.device; one is needed`);
  const { ops } = bodyOf(device);
  for (const op of ops) if (!supported.has(op.name)) failAt(op.loc, op.name, "has no place outside of a core");
  const tiles = new Map<Value, Tile>();
  for (const op of ops) if (op.name === "aie.tile") tiles.set(op.results[0]!, readTile(op, machine, tiles));
  const tileOf = (value: Value, op: Op): Tile =>
    tiles.get(value) ?? failAt(op.loc, op.name, `${value.name} is not a tile`);
  const fifos = new Map<string, Fifo>();
  for (const op of ops)
    if (op.name === "aie.objectfifo") {
      const fifo = readFifo(op, tileOf);
      if (fifos.has(fifo.name)) failAt(op.loc, `objectFIFO @${fifo.name}`, "is declared twice");
      fifos.set(fifo.name, fifo);
    }
  const fifoOf = (name: string, op: Op): Fifo => {
    const meant = nearest(name, [...fifos.keys()]);
    return fifos.get(name) ?? failAt(op.loc, op.name, `there is no objectFIFO @${name}`, meant && `@${meant}?`);
  };
  const links = ops.filter((o) => o.name === "aie.objectfifo.link").map((o) => readLink(o, fifoOf));
  const cores = ops
    .filter((o) => o.name === "aie.core")
    .map((op): Core => {
      const tile = tileOf(op.operands[0]!, op);
      if (tile.kind !== "compute") failAt(op.loc, `core on tile ${tile.name}`, `that is a ${tile.kind} tile`);
      return { tile, op, stackBytes: intAttr(op, "stack_size", machine.stackBytes) };
    });
  const twice = cores.find((c, i) => cores.findIndex((d) => d.tile === c.tile) < i);
  if (twice) failAt(twice.op.loc, `core on tile ${twice.tile.name}`, "the tile has a core already");
  const sequences = ops
    .filter((o) => o.name === "aie.runtime_sequence")
    .map((op) => ({ name: stringAttr(op, "sym_name") ?? "sequence", op }));
  if (sequences.length === 0) failAt(device.loc, "aie.device", "has no aie.runtime_sequence");
  const again = sequences.find((s, i) => sequences.findIndex(({ name }) => name === s.name) < i);
  if (again) failAt(again.op.loc, `runtime sequence @${again.name}`, "is there twice");
  const functions = new Map(ops.filter((o) => o.name === "func.func").map((o) => [stringAttr(o, "sym_name")!, o]));
  return {
    machine,
    file,
    module,
    device,
    fifos: [...fifos.values()],
    links,
    cores,
    functions,
    sequences,
    tileOf,
    fifoOf,
  };
}

function readTile(op: Op, machine: AieMachine, tiles: ReadonlyMap<Value, Tile>): Tile {
  const [col, row] = [intAttr(op, "col"), intAttr(op, "row")];
  const name = `(${col}, ${row})`;
  if (col < 0 || col >= machine.columns || row < 0 || row >= machine.rows)
    failAt(
      op.loc,
      `tile ${name}`,
      `${machine.device} has columns 0 to ${machine.columns - 1} and rows 0 to ${machine.rows - 1}`,
    );
  if ([...tiles.values()].some((t) => t.name === name)) failAt(op.loc, `tile ${name}`, "is declared twice");
  const kind = tileKind(row);
  return { name, col, row, kind, limits: machine.tiles[kind] };
}

export const readDims = (a: Attr | undefined): Dim[] =>
  (a?.kind === "array" ? a.items : []).map((d) => {
    const number = (name: "size" | "stride"): number => {
      const value = d.kind === "dict" ? d.entries[name] : undefined;
      return value?.kind === "int" ? value.value : 0;
    };
    return { size: number("size"), stride: number("stride") };
  });

function readFifo(op: Op, tileOf: Device["tileOf"]): Fifo {
  const name = stringAttr(op, "sym_name")!;
  const subject = `objectFIFO @${name}`;
  const type = op.attrs.elemType;
  const number = op.attrs.elemNumber;
  if (type?.kind !== "type" || type.type.kind !== "fifo") return failAt(op.loc, subject, "has no element type");
  const depth =
    number?.kind === "int"
      ? number.value
      : number?.kind === "array"
        ? number.items.map((i) => (i.kind === "int" ? i.value : 0))
        : 0;
  const consumers = op.operands.slice(1);
  const repeat = intAttr(op, "repeat_count", 1);
  const producer = tileOf(op.operands[0]!, op);
  const { lockMax } = producer.limits;
  const wrong = [depth].flat().find((d) => d < 1 || d * repeat > lockMax);
  if (wrong !== undefined || repeat < 1)
    failAt(
      op.loc,
      subject,
      `has depth ${wrong ?? depth}${repeat === 1 ? "" : ` and repeat count ${repeat}`}; a lock counts from 1 to ${lockMax}`,
    );
  if (typeof depth !== "number" && depth.length !== consumers.length + 1)
    failAt(op.loc, subject, `has ${depth.length} depths; the producer and ${consumers.length} consumers need one each`);
  if (consumers.length === 0) failAt(op.loc, subject, "has no consumer");
  for (const known of ["padDimensions", "iter_count", "aie_stream", "plio", "disable_synchronization", "init_values"])
    if (op.attrs[known]) failAt(op.loc, subject, `${known} is not of the subset that is simulated`);
  const from = op.attrs.dimensionsFromStreamPerConsumer;
  return {
    name,
    producer,
    consumers: consumers.map((c, i) => ({
      tile: tileOf(c, op),
      dims: readDims(from?.kind === "array" ? from.items[i] : undefined),
    })),
    dims: readDims(op.attrs.dimensionsToStream),
    depth,
    type: type.type.element,
    viaDma: flagAttr(op, "via_DMA"),
    repeat,
    loc: op.loc,
  };
}

function readLink(op: Op, fifoOf: Device["fifoOf"]): Link {
  const names = (key: string): Fifo[] => {
    const a = op.attrs[key];
    return a?.kind === "array" ? a.items.map((i) => fifoOf(i.kind === "symbol" ? i.name : "", op)) : [];
  };
  const [ins, outs] = [names("fifoIns"), names("fifoOuts")];
  const subject = `link [${ins.map((f) => `@${f.name}`).join(", ")}] -> [${outs.map((f) => `@${f.name}`).join(", ")}]`;
  if (ins.length === 0 || outs.length === 0) failAt(op.loc, subject, "needs an input and an output");
  if (ins.length > 1 && outs.length > 1) failAt(op.loc, subject, "joins and distributes at once", "use two links");
  const kind = ins.length > 1 ? "join" : outs.length > 1 ? "distribute" : "forward";
  const offsets = intsAttr(op, kind === "join" ? "src_offsets" : "dst_offsets");
  const parts = kind === "join" ? ins.length : outs.length;
  if (kind !== "forward" && offsets.length !== parts)
    failAt(op.loc, subject, `has ${offsets.length} offsets for ${parts} parts`);
  const tile = outs[0]!.producer;
  const elsewhere = [...ins.flatMap((f) => f.consumers.map((c) => c.tile)), ...outs.map((f) => f.producer)].find(
    (t) => t !== tile,
  );
  if (elsewhere) failAt(op.loc, subject, `its FIFOs meet on different tiles, ${tile.name} and ${elsewhere.name}`);
  if (tile.kind !== "memory")
    failAt(op.loc, subject, `meets on the ${tile.kind} tile ${tile.name}; only memory tiles link`);
  return { ins, outs, offsets: kind === "forward" ? [0] : offsets, kind, tile, loc: op.loc };
}

/** Ops of a core that take or give elements of a FIFO. */
export const accesses = (core: Core): Op[] =>
  [...walk(core.op.regions[0]!)].filter(
    (o) => o.name === "aie.objectfifo.acquire" || o.name === "aie.objectfifo.release",
  );
