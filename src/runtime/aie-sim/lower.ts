/**
 * ObjectFIFOs to buffers, locks, DMA programs and flows, with the rules of upstream's stateful transformation: neighbours
 * share memory where they can; otherwise both ends have buffers of their own and a stream between them; a link on a memory tile
 * is one pool of buffers with a pair of locks for each part.
 */

import { descriptor } from "./descriptor.ts";
import { accesses, type Device, type Fifo, failAt, type Link, type Tile } from "./design.ts";
import { lowerPrograms } from "./dma-program.ts";
import type { Bd, Buffer, Channel, Flow, Hardware, Lock, Port, Side } from "./hardware.ts";
import { intAttr, symbolAttr } from "./mlir/op.ts";
import { bitsOf, count } from "./mlir/type.ts";
import type { Dim } from "./pattern.ts";
import { Resources } from "./resources.ts";

/** Buffers of one end of a FIFO, or of a link, with a pair of locks for each part of an element. */
interface Pool {
  readonly whole: Fifo;
  readonly buffers: readonly Buffer[];
  readonly parts: readonly {
    readonly offset: number;
    readonly length: number;
    readonly free: Lock;
    readonly full: Lock;
  }[];
  readonly repeat: number;
}

/** @throws HeddleError naming tile and FIFO of what the array does not have. */
export function lower(device: Device): Hardware {
  checkFifos(device);
  const resources = new Resources();
  const programs = lowerPrograms(device, resources);
  const lowering = new Lowering(device, resources);
  for (const fifo of device.fifos) lowering.fifo(fifo);
  return {
    ...resources,
    flows: [...programs.flows, ...lowering.flows],
    ports: lowering.ports,
    host: new Map([...programs.host, ...lowering.host]),
    bufferOf: programs.bufferOf,
    lockOf: programs.lockOf,
  };
}

function checkFifos({ fifos, links }: Device): void {
  for (const f of fifos) {
    const subject = `objectFIFO @${f.name}`;
    const shim = [f.producer, ...f.consumers.map((c) => c.tile)].find((t) => t.kind === "shim");
    const withDims =
      (f.producer.kind === "shim" && f.dims.length) || f.consumers.some((c) => c.tile.kind === "shim" && c.dims.length);
    if (withDims)
      failAt(
        f.loc,
        `${subject} on shim tile ${shim!.name}`,
        "a shim DMA has no dimensions of its own",
        "give the sizes and strides to aiex.npu.dma_memcpy_nd",
      );
    if (shim && f.repeat > 1) failAt(f.loc, `${subject} on shim tile ${shim.name}`, "a shim DMA has no repeat count");
    const used = links.filter((l) => [...l.ins, ...l.outs].includes(f));
    for (const [role, of] of [
      ["ins", "an input"],
      ["outs", "an output"],
    ] as const)
      if (links.filter((l) => l[role].includes(f)).length > 1)
        failAt(
          used[1]!.loc,
          `${subject} on tile ${used[1]!.tile.name}`,
          `is ${of} of two links`,
          "link it once, to several FIFOs",
        );
    if (used.length > 1)
      failAt(
        used[1]!.loc,
        `${subject} on tile ${used[1]!.tile.name}`,
        "is used in two links",
        "let it go through a FIFO between two links",
      );
  }
}

class Lowering {
  readonly ports: Port[] = [];
  readonly flows: Flow[] = [];
  readonly host = new Map<string, Channel>();
  readonly #device: Device;
  readonly #resources: Resources;
  readonly #pools = new Map<Link, Pool>();

  constructor(device: Device, resources: Resources) {
    this.#device = device;
    this.#resources = resources;
  }

  fifo(f: Fifo): void {
    const shared = sharedTile(f, this.#device);
    if (shared) {
      const pool = this.#own(f, shared, f.name, [f.depth].flat()[0]!, 1);
      this.#port(f, "Produce", f.producer, pool);
      this.#port(f, "Consume", f.consumers[0]!.tile, pool);
      return;
    }
    const source = this.#producer(f);
    const dests = f.consumers.map((_, i) => this.#consumer(f, i));
    this.flows.push({ source, dests });
  }

  #producer(f: Fifo): Channel {
    const tile = f.producer;
    if (tile.kind === "shim") return this.#hostChannel(f, tile, "MM2S");
    const link = this.#device.links.find((l) => l.outs.includes(f));
    const pool = link ? this.#linkPool(link) : this.#own(f, tile, f.name, this.#depth(f, tile, 0), f.repeat);
    if (!link) this.#port(f, "Produce", tile, pool);
    return this.#channel(f, tile, "MM2S", pool, link, f.dims);
  }

  #consumer(f: Fifo, i: number): Channel {
    const { tile, dims } = f.consumers[i]!;
    if (tile.kind === "shim") return this.#hostChannel(f, tile, "S2MM");
    const link = this.#device.links.find((l) => l.ins.includes(f));
    const name = `${f.name}_${f.consumers.length > 1 ? `${i}_` : ""}cons`;
    const pool = link ? this.#linkPool(link) : this.#own(f, tile, name, this.#depth(f, tile, i + 1), 1);
    if (!link) this.#port(f, "Consume", tile, pool);
    return this.#channel(f, tile, "S2MM", pool, link, dims);
  }

  #hostChannel(f: Fifo, tile: Tile, direction: Channel["direction"]): Channel {
    if (this.host.has(f.name)) failAt(f.loc, `objectFIFO @${f.name}`, "has two ends on the shim");
    const channel = this.#resources.channel(tile, direction, `@${f.name}`, f.loc, []);
    this.host.set(f.name, channel);
    return channel;
  }

  /** Elements at one end: as many as its core holds at once and one more to be filled meanwhile, where one number is given. */
  #depth(f: Fifo, tile: Tile, end: number): number {
    if (typeof f.depth !== "number") return f.depth[end]!;
    if (tile.kind !== "compute") return f.depth;
    const most = this.#mostAcquired(f, tile);
    return most === 0 || f.depth === 1 ? f.depth : most + 1;
  }

  /** @throws HeddleError where it is more than the FIFO's depth: upstream grows the FIFO without a word. */
  #mostAcquired(f: Fifo, tile: Tile): number {
    const core = this.#device.cores.find((c) => c.tile === tile);
    const own = (core ? accesses(core) : []).filter(
      (o) => o.name === "aie.objectfifo.acquire" && symbolAttr(o, "objFifo_name") === f.name,
    );
    let most = 0;
    for (const op of own) {
      const size = intAttr(op, "size");
      const depth = Math.min(...[f.depth].flat());
      if (size > depth)
        failAt(
          op.loc,
          `core on tile ${tile.name}, objectFIFO @${f.name}`,
          `acquires ${size} elements of a FIFO of depth ${depth}`,
          "upstream silently allocates more; say the depth that you need",
        );
      most = Math.max(most, size);
    }
    return most;
  }

  #own(f: Fifo, tile: Tile, name: string, depth: number, repeat: number): Pool {
    this.#mostAcquired(f, tile);
    return this.#pool(f, tile, name, depth, [{ offset: 0, length: count(f.type.shape) }], repeat);
  }

  #linkPool(link: Link): Pool {
    const known = this.#pools.get(link);
    if (known) return known;
    const { ins, outs, kind, offsets, tile } = link;
    const size = (f: Fifo) => count(f.type.shape);
    const whole = kind === "join" || (kind === "forward" && size(outs[0]!) > size(ins[0]!)) ? outs[0]! : ins[0]!;
    // A part reaches to where the next one begins.
    const parts = offsets.map((offset, i) => ({ offset, length: (offsets[i + 1] ?? size(whole)) - offset }));
    for (const [i, p] of parts.entries())
      if (p.length <= 0 || p.offset < 0)
        failAt(
          link.loc,
          `link on tile ${tile.name}`,
          `part ${i} of @${whole.name} goes from element ${p.offset} to ${p.offset + p.length}: offsets must rise, and end within its ${size(whole)}`,
        );
    const end = whole === outs[0] ? 0 : whole.consumers.findIndex((c) => c.tile === tile) + 1;
    const repeat = Math.max(...outs.map((f) => f.repeat));
    const name = end === 0 ? whole.name : `${whole.name}_cons`;
    const pool = this.#pool(
      whole,
      tile,
      name,
      [whole.depth].flat()[typeof whole.depth === "number" ? 0 : end]!,
      parts,
      repeat,
    );
    this.#pools.set(link, pool);
    return pool;
  }

  #pool(
    f: Fifo,
    tile: Tile,
    name: string,
    depth: number,
    parts: readonly { offset: number; length: number }[],
    repeat: number,
  ): Pool {
    const owner = `@${f.name}`;
    const buffers = Array.from({ length: depth }, (_, i) =>
      this.#resources.buffer(tile, `${name}_buff_${i}`, owner, f.type, f.loc),
    );
    const lock = (kind: "prod" | "cons", i: number, init: number) => {
      const full = kind === "cons" ? f.name : undefined;
      return this.#resources.lock(tile, `${name}_${kind}_lock_${i}`, owner, init, f.loc, full);
    };
    return {
      whole: f,
      buffers,
      parts: parts.map((p, i) => ({ ...p, free: lock("prod", i, depth * repeat), full: lock("cons", i, 0) })),
      repeat,
    };
  }

  #port(f: Fifo, side: Side, tile: Tile, { buffers, parts: [part] }: Pool): void {
    const [acquire, release] = side === "Produce" ? [part!.free, part!.full] : [part!.full, part!.free];
    // A producer gives an element as often as it is sent; a consumer takes it once.
    const factor = side === "Produce" ? f.repeat : 1;
    this.ports.push({ id: this.ports.length, fifo: f.name, side, tile, buffers, acquire, release, factor });
  }

  /** The ring of descriptors of one end: every buffer, and of the whole side of a link every part of it. */
  #channel(
    f: Fifo,
    tile: Tile,
    direction: Channel["direction"],
    pool: Pool,
    link: Link | undefined,
    dims: readonly Dim[],
  ): Channel {
    const part = link?.kind === "join" ? link.ins.indexOf(f) : link?.kind === "distribute" ? link.outs.indexOf(f) : -1;
    const parts = part >= 0 ? [pool.parts[part]!] : pool.parts;
    const times = direction === "MM2S" ? f.repeat : 1;
    const amount = direction === "S2MM" && link ? pool.repeat : 1;
    const steps = pool.buffers.flatMap((buffer) =>
      parts.flatMap((p) => Array.from({ length: times }, () => ({ buffer, p }))),
    );
    const bds = steps.map(({ buffer, p }, i): Bd => {
      const [acquire, release] = direction === "S2MM" ? [p.free, p.full] : [p.full, p.free];
      const pattern = descriptor({
        subject: `objectFIFO @${f.name}, ${direction} of tile ${tile.name}`,
        loc: f.loc,
        limits: tile.limits,
        offset: p.offset,
        length: p.length,
        dims,
        elementBits: bitsOf(buffer.type.element),
        size: count(buffer.type.shape),
        part: parts.length > 1,
      });
      return {
        buffer,
        pattern,
        acquire: { lock: acquire, count: amount },
        release: { lock: release, count: amount },
        next: (i + 1) % steps.length,
        loc: f.loc,
      };
    });
    return this.#resources.channel(tile, direction, `@${f.name}`, f.loc, bds);
  }
}

/** A core reads and writes the memory of its own tile and of its western, northern and southern neighbours. */
export const reaches = (core: Tile, memory: Tile): boolean =>
  core.kind === "compute" &&
  memory.kind === "compute" &&
  ((core.row === memory.row && (core.col === memory.col || core.col === memory.col + 1)) ||
    (core.col === memory.col && Math.abs(core.row - memory.row) === 1));

/** The tile whose memory both ends use, or undefined where a DMA is needed. */
function sharedTile(f: Fifo, { links }: Device): Tile | undefined {
  const [only] = f.consumers;
  const plain =
    f.consumers.length === 1 && !f.viaDma && f.repeat === 1 && f.dims.length === 0 && only!.dims.length === 0;
  if (!plain || links.some((l) => [...l.ins, ...l.outs].includes(f))) return undefined;
  if (reaches(only!.tile, f.producer)) return f.producer;
  return reaches(f.producer, only!.tile) ? only!.tile : undefined;
}
