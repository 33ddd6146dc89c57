/** A core during a run: what its compiled body calls. */
import { HeddleError } from "../../../ir/error.ts";
import type { CompiledCore, CoreRuntime } from "../compile/core.ts";
import type { Access } from "../compile/emitter.ts";
import type { Rounder } from "../compile/rounding.ts";
import type { Port } from "../hardware.ts";
import type { Actor, Reason } from "./actor.ts";
import type { LockState } from "./lock.ts";
import { Memory } from "./memory.ts";
import type { System } from "./system.ts";

interface PortState {
  readonly port: Port;
  readonly memories: readonly Memory[];
  readonly free: LockState;
  readonly full: LockState;
  /** Elements held, and which of the ring is the oldest of them. */
  held: number;
  first: number;
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

export class CoreActor implements Actor, CoreRuntime {
  readonly name: string;
  readonly id: number;
  readonly compiled: CompiledCore;
  blocked = false;
  done = false;
  /** Cycles of work. */
  t = 0;
  /** Cycles of waiting. */
  stalled = 0;
  readonly #system: System;
  readonly #ports = new Map<number, PortState>();
  readonly #body: Generator<void, void>;
  #wait: { readonly lock: LockState; readonly what: string } | undefined;
  #place: Access | undefined;

  constructor(compiled: CompiledCore, id: number, system: System, rounder: Rounder) {
    this.compiled = compiled;
    this.name = `core on tile ${compiled.core.tile.name}`;
    this.id = id;
    this.#system = system;
    for (const port of system.hardware.ports)
      if (port.tile === compiled.core.tile) {
        const memories = port.buffers.map((b) => system.memory(b.id));
        this.#ports.set(port.id, {
          port,
          memories,
          free: system.lock(port.acquire),
          full: system.lock(port.release),
          held: 0,
          first: 0,
        });
      }
    this.#body = compiled.start(this, rounder);
  }

  get time(): number {
    return this.t + this.stalled;
  }

  step(): void {
    try {
      this.done = this.#body.next().done === true;
      this.blocked = !this.done;
    } catch (e) {
      if (e instanceof HeddleError) throw e;
      throw new HeddleError((e as Error).message, {
        subject: this.name,
        loc: this.#place?.loc ?? this.compiled.core.op.loc,
      });
    }
  }

  reasons(): Reason[] {
    return this.#wait ? [{ text: this.#wait.what, by: this.#wait.lock.givers }] : [];
  }

  // What the compiled body calls

  memory(buffer: number): Memory {
    return this.#system.memory(buffer);
  }

  /** Memory of the core's own stack. */
  stack(access: number): Memory {
    const { loc, stack } = this.compiled.accesses[access]!;
    const { tile } = this.compiled.core;
    const buffer = {
      id: -1,
      name: "an alloca",
      tile,
      type: stack!,
      owner: "the stack",
      loc,
      initial: undefined,
      address: undefined,
    };
    return new Memory(buffer, false);
  }

  acquire(id: number, n: number, q: Access): boolean {
    const p = this.#ports.get(id)!;
    const need = n - p.held;
    if (need <= 0) return true;
    const { side, fifo, factor } = p.port;
    const what = side === "Consume" ? "full" : "free";
    if (!this.#take(p.free, need * factor, `${n > 1 ? `${n} ${what} elements` : `a ${what} element`} of @${fifo}`, q))
      return false;
    for (let i = 0; i < need; i++) p.memories[(p.first + p.held + i) % p.memories.length]!.hold(side === "Produce");
    p.held = n;
    return true;
  }

  element(id: number, i: number, q: Access): Memory {
    const p = this.#ports.get(id)!;
    if (i < p.held) return p.memories[(p.first + i) % p.memories.length]!;
    throw new HeddleError(`element ${i} of @${p.port.fifo} was released`, {
      subject: `${this.name}, ${q.op}`,
      loc: q.loc,
    });
  }

  release(id: number, n: number, q: Access): void {
    const p = this.#ports.get(id)!;
    if (n > p.held)
      throw new HeddleError(`releases ${n} of @${p.port.fifo} (${p.port.side}) but holds ${p.held}`, {
        subject: this.name,
        loc: q.loc,
        hint: "acquire as many as are released",
      });
    for (let i = 0; i < n; i++) p.memories[(p.first + i) % p.memories.length]!.letGo();
    p.first = (p.first + n) % p.memories.length;
    p.held -= n;
    p.full.give(n * p.port.factor, this.time, this.id, q.loc);
  }

  lock(id: number, n: number, q: Access): boolean {
    const lock = this.#system.lockById(id);
    return this.#take(lock, n, `lock ${lock.lock.name} on tile ${lock.lock.tile.name}`, q);
  }

  unlock(id: number, n: number, q: Access): void {
    this.#system.lockById(id).give(n, this.time, this.id, q.loc);
  }

  #take(lock: LockState, n: number, what: string, q: Access): boolean {
    this.#place = q;
    const time = lock.take(n, this, this.id);
    if (time === undefined) {
      this.#wait = { lock, what: `${what} (has ${lock.value}, needs ${n})` };
      return false;
    }
    this.#wait = undefined;
    if (time > this.time) this.stalled += time - this.time;
    return true;
  }

  read(m: Memory, at: number, q: Access): void {
    m.read(at, q, this.name, this.id);
  }

  write(m: Memory, at: number, q: Access): void {
    m.write(at, q, this.name, this.id);
  }

  outside(q: Access, dim: number, i: number, extent: number): never {
    throw new HeddleError(
      `touches ${extent > 1 ? `elements ${i} to ${i + extent - 1}` : `element ${i}`} of dimension ${dim} of ${q.memref}`,
      { subject: `${this.name}, ${q.op}`, loc: q.loc },
    );
  }

  lane(q: Access, dim: number, i: number): never {
    throw new HeddleError(`lane ${i} of dimension ${dim} is outside of the vector`, {
      subject: `${this.name}, ${q.op}`,
      loc: q.loc,
    });
  }

  badStep(): never {
    throw new HeddleError("a loop has a step that is not positive", { subject: this.name, loc: this.#place?.loc });
  }

  /** A bf16 in memory as a number. */
  half(x: number): number {
    bits[0] = x << 16;
    return single[0]!;
  }

  /** A number that is a bf16, for memory. */
  bits(x: number): number {
    single[0] = x;
    return bits[0]! >>> 16;
  }
}
