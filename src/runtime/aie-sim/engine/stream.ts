/**
 * A stream from one DMA channel to one or several: words move only while the source has some and every receiver takes them. The
 * few words that switches hold are not counted on.
 */
import type { Bd, Channel, Flow } from "../hardware.ts";
import { copyWords, type Pattern } from "../pattern.ts";
import type { Actor, Reason } from "./actor.ts";
import type { Memory } from "./memory.ts";
import type { System } from "./system.ts";

/** A transfer that the runtime sequence gave to a channel of the shim. */
export interface Task {
  readonly id: number;
  readonly pattern: Pattern;
  readonly words: Int32Array;
  readonly token: boolean;
  /** When it was given. */
  readonly time: number;
  /** When its last word moved. */
  finished: number | undefined;
}

/** The runtime sequence, as streams know it. */
export interface HostActor extends Actor {
  /** Whether it still has transfers for a channel. */
  queuesMore(channel: ChannelState): boolean;
}

/** Words that a channel moves now. */
interface Active {
  readonly pattern: Pattern;
  readonly words: Int32Array;
  readonly memory: Memory | undefined;
  at: number;
}

/** Words of one step on the shim, so that channels share the host's memory fairly. */
const burst = 1024;

export class ChannelState {
  readonly channel: Channel;
  readonly id: number;
  /** Tasks of a channel of the shim that are not finished, the one that moves now included. */
  readonly tasks: Task[] = [];
  active: Active | undefined;
  time = 0;
  /** Words moved. */
  moved = 0;
  /** Whose stream it is. */
  stream: StreamActor | undefined;
  #bd = 0;
  #runs = 0;
  readonly #system: System;

  constructor(channel: Channel, id: number, system: System) {
    this.channel = channel;
    this.id = id;
    this.#system = system;
  }

  get isHost(): boolean {
    return this.channel.tile.kind === "shim";
  }

  get #current(): Bd | undefined {
    return this.#runs < this.channel.runs ? this.channel.bds[this.#bd] : undefined;
  }

  /** Makes the next descriptor active if it may be. */
  ready(actor: Actor): boolean {
    if (this.active) return true;
    if (this.isHost) {
      const task = this.tasks[0];
      if (!task) return false;
      this.time = Math.max(this.time, task.time);
      this.active = { pattern: task.pattern, words: task.words, memory: undefined, at: 0 };
      return true;
    }
    const bd = this.#current;
    if (!bd) return false;
    if (bd.acquire) {
      const time = this.#system.lock(bd.acquire.lock).take(bd.acquire.count, actor, this.id);
      if (time === undefined) return false;
      this.time = Math.max(this.time, time);
    }
    const memory = this.#system.memory(bd.buffer.id);
    if (this.channel.direction === "MM2S")
      memory.sends(bd.pattern, `${this.channel.owner}, MM2S of tile ${this.channel.tile.name}`, this.id);
    else memory.receives(bd.pattern, this.id);
    this.active = { pattern: bd.pattern, words: memory.words, memory, at: 0 };
    return true;
  }

  get left(): number {
    return this.active ? this.active.pattern.words - this.active.at : 0;
  }

  /** `n` words have moved. */
  advance(n: number, time: number): void {
    const { active } = this;
    if (!active) return;
    active.at += n;
    this.moved += n;
    this.time = time;
    if (active.at < active.pattern.words) return;
    this.active = undefined;
    if (this.isHost) {
      this.tasks.shift()!.finished = time;
      return;
    }
    if (this.channel.direction === "S2MM") active.memory!.received(active.pattern);
    const bd = this.#current!;
    if (bd.release) this.#system.lock(bd.release.lock).give(bd.release.count, time, this.id, bd.loc);
    if (bd.next === undefined) this.#runs++;
    this.#bd = bd.next ?? 0;
  }

  /** Why `ready` said no. */
  reason(host: HostActor): Reason {
    const { tile, direction, owner } = this.channel;
    if (this.isHost) {
      const more = host.queuesMore(this);
      const text = more ? `a transfer of ${owner} from the runtime sequence` : `another transfer of ${owner}`;
      return { text, by: more ? [host] : [] };
    }
    const use = this.#current?.acquire;
    if (!use) return { text: `${direction} of tile ${tile.name}, whose program has ended`, by: [] };
    const what = direction === "S2MM" ? "a free element" : "a full element";
    return { text: `${what} of ${owner} on tile ${tile.name}`, by: this.#system.lock(use.lock).givers };
  }
}

export class StreamActor implements Actor {
  readonly name: string;
  readonly source: ChannelState;
  readonly dests: readonly ChannelState[];
  blocked = false;
  readonly done = false;
  time = 0;
  /** Cycles that the source waited for a receiver, and that receivers waited for the source. */
  backpressure = 0;
  starved = 0;
  /** Told when a task of the host has finished. */
  readonly onFinished: HostActor;
  readonly #system: System;

  constructor(flow: Flow, channels: ReadonlyMap<Channel, ChannelState>, sequence: HostActor, system: System) {
    this.source = channels.get(flow.source)!;
    this.dests = flow.dests.map((d) => channels.get(d)!);
    const to = flow.dests.map((d) => d.tile.name).join(" and ");
    this.name = `stream ${flow.source.owner} from tile ${flow.source.tile.name} to ${to}`;
    this.onFinished = sequence;
    this.#system = system;
    for (const c of [this.source, ...this.dests]) c.stream = this;
  }

  step(): void {
    let ready = this.source.ready(this);
    for (const d of this.dests) ready = d.ready(this) && ready;
    if (!ready) {
      this.blocked = true;
      return;
    }
    const { source, dests } = this;
    let n = source.left;
    let receivers = 0;
    let host = source.isHost;
    for (const d of dests) {
      n = Math.min(n, d.left);
      receivers = Math.max(receivers, d.time);
      host ||= d.isHost;
    }
    const start = Math.max(source.time, receivers);
    if (host) {
      // The host's memory is taken in order of time: who can start only later lets others go first.
      if (start > this.time) {
        this.time = start;
        return;
      }
      n = Math.min(n, burst);
    }
    this.backpressure += Math.max(0, receivers - source.time);
    this.starved += Math.max(0, source.time - receivers);
    const from = source.active!;
    for (const d of dests)
      copyWords(from.words, from.pattern, from.at, d.active!.words, d.active!.pattern, d.active!.at, n);
    const end = this.#end(start, n, host);
    source.advance(n, end);
    for (const d of dests) d.advance(n, end);
    this.time = end;
    if (host) this.onFinished.blocked = false;
  }

  /** When `n` words that start to move at `start` have moved. */
  #end(start: number, n: number, host: boolean): number {
    const s = this.#system;
    const cycles = (4 * n) / s.machine.streamBytesPerCycle;
    if (!host) return start + cycles;
    const bytes = 4 * n;
    if (this.source.isHost) s.ddrRead += bytes;
    for (const d of this.dests) if (d.isHost) s.ddrWritten += bytes;
    const { run } = [this.source, ...this.dests].find((c) => c.isHost)!.active!.pattern;
    s.ddrFree = Math.max(s.ddrFree, start) + bytes * (1 + s.machine.burstOverheadBytes / (4 * run)) * s.ddrCycles;
    return Math.max(start + Math.max(cycles, bytes * s.channelCycles), s.ddrFree);
  }

  reasons(): Reason[] {
    return [this.source, ...this.dests].filter((c) => !c.active).map((c) => c.reason(this.onFinished));
  }
}
