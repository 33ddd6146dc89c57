/** Runs a design: of all actors that can go on, the one that is earliest in simulated time does the next piece of work. */
import { HeddleError, type Loc } from "../../../ir/error.ts";
import type { Source } from "../../../targets/target.ts";
import { loadProgram, type Program } from "../compile/core.ts";
import { type Rounding, rounder } from "../compile/rounding.ts";
import type { Channel } from "../hardware.ts";
import type { Host, Instruction } from "../host.ts";
import type { Design } from "../load.ts";
import { stringAttr, walk } from "../mlir/op.ts";
import { bytesOf, showType } from "../mlir/type.ts";
import type { Actor } from "./actor.ts";
import { CoreActor, type Element } from "./core.ts";
import { deadlock } from "./deadlock.ts";
import { Races } from "./races.ts";
import { SequenceActor } from "./sequence.ts";
import { ChannelState, StreamActor } from "./stream.ts";
import { System } from "./system.ts";

export interface SimulateOptions {
  /**
   * The runtime sequence that runs, by name: the first where none is given. Several run one after the other, each on the array as the
   * one before has left it.
   */
  readonly sequence?: string | readonly string[];
  /** How floats become bf16. The hardware rounds down unless a kernel sets its control register; ours set it. */
  readonly rounding?: Rounding;
  /** Called for every piece of work. */
  readonly trace?: (event: {
    readonly actor: string;
    readonly from: number;
    readonly to: number;
    readonly waits: string | undefined;
  }) => void;
  /** Called with every element that a core takes, before it works on it, and with every element that it gives. */
  readonly observe?: (element: Element) => void;
}

export interface Report {
  /** From the first instruction of the sequence to the end of its last wait, without the dispatch. */
  readonly cycles: number;
  /** With a dispatch for every sequence. */
  readonly seconds: number;
  readonly source: Source;
  readonly tiles: readonly { readonly tile: string; readonly busy: number; readonly stalled: number }[];
  readonly ddr: { readonly readBytes: number; readonly writtenBytes: number };
  readonly fifos: readonly {
    readonly name: string;
    readonly from: string;
    readonly bytes: number;
    /** Cycles that the producer waited for consumers, and they for it. */
    readonly backpressure: number;
    readonly starved: number;
  }[];
}

/**
 * Executes a design.
 * @param buffers one for each argument of the runtime sequences, in order, of exactly its bytes; outputs are written in place
 * @throws HeddleError for a sequence that is none, for buffers that do not fit, for memory read before it was written, for a race, for a descriptor used
 * while it is live, for a deadlock (with the cycle of waits), and for transfers that nobody waits for
 */
export function simulate(design: Design, buffers: readonly ArrayBufferView[], options: SimulateOptions = {}): Report {
  const { hardware, device } = design;
  const hosts = [options.sequence ?? design.host.name].flat().map((name) => hostOf(design, name));
  const loc = hosts[0]!.loc;
  const words = hosts
    .flatMap((host) => host.args.map((arg) => ({ ...arg, loc: host.loc })))
    .map(({ name, type, loc }, i) => wordsOf(buffers[i], bytesOf(type), `argument ${name} (${showType(type)})`, loc));
  if (buffers.length !== words.length)
    throw new HeddleError(`takes ${words.length} buffers, not ${buffers.length}`, {
      subject: "the runtime sequence",
      loc,
    });
  const names = [
    ...design.cores.map((c) => `the core on tile ${c.core.tile.name}`),
    ...hardware.channels.map((c) => `${c.direction} channel ${c.index} of tile ${c.tile.name}`),
  ];
  const races = design.shared.size ? new Races(names) : undefined;
  const system = new System(device.machine, hardware, design.shared, races);
  const channels = new Map<Channel, ChannelState>(
    hardware.channels.map((c, i) => [c, new ChannelState(c, design.cores.length + i, system)]),
  );
  const state = hardware.channels.map((c) => channels.get(c)!);
  const views = words.map((w) => w.view);
  const sequence = new SequenceActor(instructionsOf(hosts), (id) => state[id]!, views, device.machine.shimQueue);
  const code = programsOf(design, options.rounding ?? "nearest-even");
  const cores = design.cores.map((c, i) => new CoreActor(c, code[i]!, i, system, options.observe));
  const streams = hardware.flows.map((f) => new StreamActor(f, channels, sequence, system));
  run([sequence, ...cores, ...streams], options.trace);
  if (!sequence.done) {
    giversOf(design, system, cores, streams);
    deadlock([sequence, ...cores, ...streams], sequence, loc);
  }
  checkEnd(sequence, streams);
  checkEmpty(design, system);
  for (const w of words) w.finish();
  const { cycles, seconds } = duration(sequence, device.machine, hosts.length);
  return {
    cycles,
    seconds,
    source: "modelled",
    tiles: cores.map((c) => ({ tile: c.compiled.core.tile.name, busy: c.t, stalled: c.stalled })),
    ddr: { readBytes: system.ddrRead, writtenBytes: system.ddrWritten },
    fifos: streams.map((s) => ({
      name: s.source.channel.owner,
      from: s.source.channel.tile.name,
      bytes: 4 * s.source.moved,
      backpressure: s.backpressure,
      starved: s.starved,
    })),
  };
}

/** @throws HeddleError with the names that there are. */
function hostOf({ hosts, device }: Design, name: string): Host {
  const host = hosts.find((h) => h.name === name);
  if (host) return host;
  throw new HeddleError(`has no runtime sequence @${name}`, {
    subject: "the design",
    loc: device.device.loc,
    hint: hosts.map((h) => `@${h.name}`).join(", "),
  });
}

/** Of sequences one after the other, whose arguments lie in a row. */
function instructionsOf(hosts: readonly Host[]): Instruction[] {
  let before = 0;
  return hosts.flatMap(({ instructions, args }) => {
    const first = before;
    before += args.length;
    return instructions.map((i) => (i.kind === "copy" ? { ...i, argument: i.argument + first } : i));
  });
}

/** Programs by rounding and core. Cores with the same source share one, and so do runs. */
const programs = new WeakMap<Design, Map<Rounding, readonly Program[]>>();

function programsOf(design: Design, rounding: Rounding): readonly Program[] {
  const byRounding = programs.get(design) ?? new Map<Rounding, readonly Program[]>();
  programs.set(design, byRounding);
  const bySource = new Map<string, Program>();
  const made =
    byRounding.get(rounding) ??
    design.cores.map((core) => {
      const program = bySource.get(core.source) ?? loadProgram(core, rounder(rounding));
      bySource.set(core.source, program);
      return program;
    });
  byRounding.set(rounding, made);
  return made;
}

function run(actors: readonly Actor[], trace: SimulateOptions["trace"]): void {
  for (;;) {
    let next: Actor | undefined;
    for (const a of actors) if (!a.blocked && !a.done && (!next || a.time < next.time)) next = a;
    if (!next) return;
    const from = next.time;
    next.step();
    trace?.({
      actor: next.name,
      from,
      to: next.time,
      waits: next.blocked
        ? next
            .reasons()
            .map((r) => r.text)
            .join(" and ")
        : undefined,
    });
  }
}

/** Who gives units of a lock: its cores and its streams. */
function giversOf(design: Design, system: System, cores: readonly CoreActor[], streams: readonly StreamActor[]): void {
  const { hardware } = design;
  const add = (lock: number, actor: Actor) => {
    const { givers } = system.lockById(lock);
    if (!givers.includes(actor)) givers.push(actor);
  };
  for (const core of cores) {
    for (const p of hardware.ports) if (p.tile === core.compiled.core.tile) add(p.release.id, core);
    for (const op of walk(core.compiled.core.op.regions[0]!)) {
      const lock =
        op.name === "aie.use_lock" && stringAttr(op, "action") === "Release" && hardware.lockOf.get(op.operands[0]!);
      if (lock) add(lock.id, core);
    }
  }
  for (const stream of streams)
    for (const c of [stream.source, ...stream.dests])
      for (const bd of c.channel.bds) if (bd.release) add(bd.release.lock.id, stream);
}

/** What must not be left when the host goes on. */
function checkEnd(sequence: SequenceActor, streams: readonly StreamActor[]): void {
  for (const { task, from, awaited } of sequence.tasks) {
    const context = { subject: `aiex.npu.dma_memcpy_nd of @${from.fifo}`, loc: from.loc };
    if (task.finished === undefined)
      throw new HeddleError("has not ended when the sequence has: the array takes or gives less", context);
    if (!awaited && from.channel.direction === "S2MM")
      throw new HeddleError("is waited for by nobody: the host may read before it is written", {
        ...context,
        hint: `aiex.npu.dma_wait {symbol = @${from.fifo}} at the end`,
      });
  }
  for (const s of streams)
    for (const c of s.dests)
      if (c.active && c.active.at > 0)
        throw new HeddleError(
          `ends with ${4 * c.active.at} bytes of an element of ${4 * c.active.pattern.words}: what is sent is no multiple of what is received`,
          { subject: `${s.name}, tile ${c.channel.tile.name}`, loc: c.channel.loc },
        );
}

/** The next run begins with what this one leaves in FIFOs. */
function checkEmpty({ device, hardware }: Design, system: System): void {
  for (const lock of hardware.locks) {
    const { value } = system.lock(lock);
    if (lock.full === undefined || value === 0) continue;
    throw new HeddleError(
      `ends with ${value} full ${value > 1 ? "elements" : "element"} that nobody took: the next run would begin with it`,
      {
        subject: `objectFIFO @${lock.full} on tile ${lock.tile.name}`,
        loc: device.fifos.find((f) => f.name === lock.full)!.loc,
        hint: "as many elements taken as given in every run",
      },
    );
  }
}

function duration(
  sequence: SequenceActor,
  machine: Design["device"]["machine"],
  dispatches: number,
): { cycles: number; seconds: number } {
  const cycles = Math.ceil(Math.max(sequence.time, ...sequence.tasks.map((t) => t.task.finished ?? 0)));
  return { cycles, seconds: cycles / machine.clockHz + dispatches * machine.dispatchSeconds };
}

/** A buffer of the host as words; one that does not begin or end at a word goes through a copy. */
function wordsOf(
  buffer: ArrayBufferView | undefined,
  bytes: number,
  subject: string,
  loc: Loc,
): { view: Int32Array; finish(): void } {
  if (!buffer) throw new HeddleError("is missing", { subject, loc });
  if (buffer.byteLength !== bytes)
    throw new HeddleError(`has ${bytes} bytes, but the buffer has ${buffer.byteLength}`, { subject, loc });
  if (buffer.byteOffset % 4 === 0 && bytes % 4 === 0)
    return { view: new Int32Array(buffer.buffer, buffer.byteOffset, bytes / 4), finish() {} };
  const view = new Int32Array(Math.ceil(bytes / 4));
  const [own, theirs] = [
    new Uint8Array(view.buffer, 0, bytes),
    new Uint8Array(buffer.buffer, buffer.byteOffset, bytes),
  ];
  own.set(theirs);
  return { view, finish: () => theirs.set(own) };
}
