/** Memory of tiles: FIFOs, buffers and stack in data memory, code in program memory. */
import { type Footprint, footprint } from "./cost.ts";
import { type Core, type Device, failAt, type Tile } from "./design.ts";
import type { Hardware } from "./hardware.ts";
import { type Op, symbolAttr, walk } from "./mlir/op.ts";
import { bytesOf } from "./mlir/type.ts";

export interface TileBudget {
  readonly tile: string;
  /** Bytes of data memory with the stack, and of the code by estimate. */
  readonly memory: number;
  readonly stack: number;
  readonly program: number;
  /** What the stack must hold, by estimate. */
  readonly stackNeeded: number;
}

/** Upstream aligns every buffer to the width of a vector load. */
const aligned = (bytes: number): number => Math.ceil(bytes / 32) * 32;

/** @throws HeddleError naming the tile and everything on it. */
export function checkBudgets(device: Device, hardware: Hardware): TileBudget[] {
  const tiles = new Set<Tile>([...hardware.buffers.map((b) => b.tile), ...device.cores.map((c) => c.tile)]);
  return [...tiles].map((tile) => {
    const core = device.cores.find((c) => c.tile === tile);
    const used = core && footprintOf(device, hardware, core);
    const memory = checkMemory(tile, hardware, core);
    if (core && used) checkCore(device, hardware, core, used);
    return {
      tile: tile.name,
      memory,
      stack: core?.stackBytes ?? 0,
      program: used?.program ?? 0,
      stackNeeded: used?.stack ?? 0,
    };
  });
}

function checkMemory(tile: Tile, hardware: Hardware, core: Core | undefined): number {
  const own = hardware.buffers.filter((b) => b.tile === tile);
  const stack = core?.stackBytes ?? 0;
  const total = own.reduce((n, b) => n + aligned(bytesOf(b.type)), aligned(stack));
  if (total <= tile.limits.memoryBytes) return total;
  const owners = [...new Set(own.map((b) => b.owner))].map((owner) => {
    const of = own.filter((b) => b.owner === owner);
    return `${owner} ${of.length > 1 ? `${of.length} x ` : ""}${aligned(bytesOf(of[0]!.type))}`;
  });
  const level = tile.kind === "memory" ? "L2" : "L1";
  return failAt(
    own.at(-1)!.loc,
    `${own.at(-1)!.owner} on tile ${tile.name}`,
    `${level} overflow: ${total} bytes of ${tile.limits.memoryBytes} (${[...(stack ? [`stack ${stack}`] : []), ...owners].join(", ")})`,
    "smaller tiles, or a FIFO of depth 1",
  );
}

function checkCore({ machine }: Device, hardware: Hardware, core: Core, used: Footprint): void {
  const subject = `core on tile ${core.tile.name}`;
  if (used.stack > core.stackBytes)
    failAt(
      core.op.loc,
      subject,
      `needs about ${used.stack} bytes of stack (estimate), but has ${core.stackBytes}: it would run into the buffers behind it`,
      `stack_size = ${Math.ceil(used.stack / 512) * 512} : i32`,
    );
  const inStack = hardware.buffers.find(
    (b) => b.tile === core.tile && b.address !== undefined && b.address < core.stackBytes,
  );
  if (inStack)
    failAt(
      inStack.loc,
      `${inStack.owner} on tile ${core.tile.name}`,
      `lies at address ${inStack.address}, in the stack (0 to ${core.stackBytes - 1})`,
      `an address of ${core.stackBytes} or more`,
    );
  if (used.program > machine.programBytes)
    failAt(
      core.op.loc,
      subject,
      `needs about ${used.program} bytes of program memory (estimate), and has ${machine.programBytes}`,
      "loops instead of unrolled code; FIFOs of equal depth, because upstream unrolls by their least common multiple",
    );
}

function footprintOf(device: Device, hardware: Hardware, { op, tile }: Core): Footprint {
  const depth = (o: Op): number => {
    const fifo = symbolAttr(o, "objFifo_name");
    return hardware.ports.find((p) => p.fifo === fifo && p.tile === tile)?.buffers.length ?? 1;
  };
  const copies = (loop: Op): number => {
    const own = loop.regions[0]![0]!.ops.filter((o) => o.name === "aie.objectfifo.acquire").map(depth);
    return own.reduce((a, b) => (a * b) / gcd(a, b), 1);
  };
  return footprint(op, (name) => device.functions.get(name), copies);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Ids of buffers that more than one actor touches without a FIFO. */
export function sharedBuffers(device: Device, hardware: Hardware): Set<number> {
  const users = new Map<number, Set<unknown>>();
  const note = (buffer: number, user: unknown) => users.set(buffer, (users.get(buffer) ?? new Set()).add(user));
  for (const core of device.cores) {
    const used = new Set([...walk(core.op.regions[0]!)].flatMap((o) => o.operands));
    for (const [value, buffer] of hardware.bufferOf) if (used.has(value)) note(buffer.id, core);
  }
  const explicit = new Set([...hardware.bufferOf.values()].map((b) => b.id));
  for (const channel of hardware.channels)
    for (const bd of channel.bds) if (explicit.has(bd.buffer.id)) note(bd.buffer.id, channel);
  return new Set([...users].filter(([, by]) => by.size > 1).map(([id]) => id));
}
