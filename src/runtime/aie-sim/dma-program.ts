/** Explicit buffers, locks, DMA programs and flows: what designs may write beside FIFOs. */

import { descriptor } from "./descriptor.ts";
import { type Device, failAt, readDims, type Tile } from "./design.ts";
import type { Bd, Buffer, Channel, Flow, Lock, LockUse } from "./hardware.ts";
import { type Block, bodyOf, intAttr, type Op, stringAttr, type Value } from "./mlir/op.ts";
import { bitsOf, count } from "./mlir/type.ts";
import type { Resources } from "./resources.ts";

export interface Programs {
  readonly bufferOf: Map<Value, Buffer>;
  readonly lockOf: Map<Value, Lock>;
  readonly flows: Flow[];
  /** Channels of the shim by the names that the runtime sequence uses. */
  readonly host: Map<string, Channel>;
}

/** Declares what the text declares, in its order. @throws HeddleError naming tile and op. */
export function lowerPrograms(device: Device, resources: Resources): Programs {
  const bufferOf = new Map<Value, Buffer>();
  const lockOf = new Map<Value, Lock>();
  const { ops } = bodyOf(device.device);
  for (const op of ops) {
    const [value] = op.results;
    if (op.name === "aie.buffer") bufferOf.set(value!, readBuffer(op, device.tileOf(op.operands[0]!, op), resources));
    if (op.name === "aie.lock") {
      const tile = device.tileOf(op.operands[0]!, op);
      const name = stringAttr(op, "sym_name") ?? value!.name;
      lockOf.set(value!, resources.lock(tile, name, `lock ${name}`, intAttr(op, "init", 0), op.loc));
    }
  }
  const programs: Programs = { bufferOf, lockOf, flows: [], host: new Map() };
  for (const op of ops)
    if (op.name === "aie.mem" || op.name === "aie.memtile_dma") readProgram(op, device, resources, programs);
  for (const op of ops) {
    if (op.name !== "aie.shim_dma_allocation") continue;
    const name = stringAttr(op, "sym_name")!;
    const tile = device.tileOf(op.operands[0]!, op);
    if (tile.kind !== "shim") failAt(op.loc, `${op.name} @${name}`, `${tile.name} is a ${tile.kind} tile`);
    const direction = stringAttr(op, "channel_dir") === "S2MM" ? "S2MM" : "MM2S";
    const index = intAttr(op, "channel_index");
    programs.host.set(name, resources.channel(tile, direction, `@${name}`, op.loc, [], { index }));
  }
  const flows = ops.filter((o) => o.name === "aie.flow").map((op) => readFlow(op, device, resources));
  for (const { source, dests } of flows) {
    const same = programs.flows.findIndex((f) => f.source === source);
    if (same < 0) programs.flows.push({ source, dests });
    else programs.flows[same] = { source, dests: [...programs.flows[same]!.dests, ...dests] };
  }
  return programs;
}

function readBuffer(op: Op, tile: Tile, resources: Resources): Buffer {
  const [value] = op.results;
  const name = stringAttr(op, "sym_name") ?? value!.name;
  const { type } = value!;
  if (type.kind !== "memref") return failAt(op.loc, `buffer ${name}`, "is not a memref");
  const dense = op.attrs.initial_value;
  const size = count(type.shape);
  const initial =
    dense?.kind === "dense"
      ? dense.values.length === 1
        ? new Array<number>(size).fill(dense.values[0]!)
        : dense.values
      : undefined;
  if (initial && initial.length !== size)
    failAt(op.loc, `buffer ${name}`, `has ${initial.length} initial values for ${size} elements`);
  const address = op.attrs.address ? intAttr(op, "address") : undefined;
  return resources.buffer(tile, name, `buffer ${name}`, type, op.loc, { initial, address });
}

/** Follows the chain of `aie.dma_start`; every one of them is a channel. */
function readProgram(op: Op, device: Device, resources: Resources, programs: Programs): void {
  const tile = device.tileOf(op.operands[0]!, op);
  const region = op.regions[0]!;
  const blockOf = (label: string, from: Op): Block =>
    region.find((b) => b.label === label) ??
    failAt(from.loc, `${op.name} of tile ${tile.name}`, `there is no block ${label}`);
  let block: Block | undefined = region[0];
  const seen = new Set<Block>();
  while (block && !seen.has(block)) {
    seen.add(block);
    const start: Op | undefined = block.ops.find((o) => o.name === "aie.dma_start");
    if (!start) break;
    const direction = stringAttr(start, "channel_dir") === "S2MM" ? "S2MM" : "MM2S";
    const [first, rest] = start.successors;
    const bds = readChain(blockOf(first!, start), blockOf, tile, direction, programs);
    const options = { index: intAttr(start, "channel_index"), runs: intAttr(start, "repeat_count", 0) + 1 };
    resources.channel(tile, direction, "DMA program", start.loc, bds, options);
    block = blockOf(rest!, start);
  }
}

function readChain(
  first: Block,
  blockOf: (label: string, from: Op) => Block,
  tile: Tile,
  direction: string,
  programs: Programs,
): Bd[] {
  const chain: Block[] = [];
  for (let block: Block | undefined = first; block && !chain.includes(block); ) {
    if (!block.ops.some((o) => o.name === "aie.dma_bd")) break;
    chain.push(block);
    const next: Op | undefined = block.ops.find((o) => o.name === "aie.next_bd");
    block = next && blockOf(next.successors[0]!, next);
  }
  return chain.map((block): Bd => {
    const op = block.ops.find((o) => o.name === "aie.dma_bd")!;
    const buffer = programs.bufferOf.get(op.operands[0]!);
    if (!buffer) return failAt(op.loc, "aie.dma_bd", `${op.operands[0]!.name} is not an aie.buffer`);
    const subject = `${direction} of tile ${tile.name}, buffer ${buffer.name}`;
    if (buffer.tile !== tile)
      failAt(op.loc, subject, `the buffer is on tile ${buffer.tile.name}; a DMA has only its own memory`);
    const use = (acquires: boolean): LockUse | undefined => {
      const found = block.ops.find(
        (o) => o.name === "aie.use_lock" && (stringAttr(o, "action") !== "Release") === acquires,
      );
      return found && lockUse(found, programs.lockOf);
    };
    const size = count(buffer.type.shape);
    const offset = intAttr(op, "offset", 0);
    const pattern = descriptor({
      ...{ subject, loc: op.loc, limits: tile.limits, offset, size },
      length: intAttr(op, "len", size - offset),
      dims: readDims(op.attrs.dimensions),
      elementBits: bitsOf(buffer.type.element),
    });
    const next = block.ops.find((o) => o.name === "aie.next_bd");
    const at = next ? chain.indexOf(blockOf(next.successors[0]!, next)) : -1;
    return { buffer, pattern, acquire: use(true), release: use(false), next: at < 0 ? undefined : at, loc: op.loc };
  });
}

/** Which lock, and by how much: a constant of the op, or an operand that is one. */
export function lockUse(op: Op, locks: ReadonlyMap<Value, Lock>): LockUse {
  const lock = locks.get(op.operands[0]!);
  if (!lock) return failAt(op.loc, op.name, `${op.operands[0]!.name} is not a lock`);
  const given = op.operands[1]?.definition?.attrs.value;
  const value = given?.kind === "int" ? given.value : op.operands[1] ? undefined : intAttr(op, "value", 1);
  if (value === undefined) return failAt(op.loc, op.name, "takes a constant amount");
  if (stringAttr(op, "action") === "Acquire")
    failAt(op.loc, op.name, "Acquire waits for an exact value, as AIE1 does", "AcquireGreaterEqual");
  return { lock, count: value };
}

function readFlow(op: Op, device: Device, resources: Resources): Flow {
  const end = (i: number, direction: "MM2S" | "S2MM", key: string) => {
    const tile = device.tileOf(op.operands[i]!, op);
    const index = intAttr(op, `${key}_channel`);
    if (stringAttr(op, `${key}_bundle`) !== "DMA") failAt(op.loc, "aie.flow", "only flows between DMAs are simulated");
    const channel = resources.channels.find((c) => c.tile === tile && c.direction === direction && c.index === index);
    return channel ?? failAt(op.loc, "aie.flow", `tile ${tile.name} has no program for ${direction} channel ${index}`);
  };
  return { source: end(0, "MM2S", "source"), dests: [end(1, "S2MM", "dest")] };
}
