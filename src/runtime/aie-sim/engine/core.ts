/** A core during a run: what its compiled body calls. */
import { HeddleError } from "../../../ir/error.ts";
import type { CompiledCore, CoreRuntime, Program } from "../compile/core.ts";
import type { Access } from "../compile/emitter.ts";
import type { Core } from "../design.ts";
import type { Port, Side } from "../hardware.ts";
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

/** An element of a FIFO as a core takes it, or gives it. */
export interface Element {
  readonly core: Core;
  readonly fifo: string;
  readonly side: Side;
  /** Its memory, the last word padded. */
  readonly words: Int32Array;
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
  readonly #observe: ((e: Element) => void) | undefined;
  readonly #ports: readonly PortState[];
  readonly #locks: readonly LockState[];
  readonly #buffers: readonly Memory[];
  readonly #stack = new Map<number, Memory>();
  readonly #body: Generator<void, void>;
  #wait: { readonly lock: LockState; readonly what: string } | undefined;
  #place = 0;

  constructor(compiled: CompiledCore, program: Program, id: number, system: System, observe?: (e: Element) => void) {
    this.compiled = compiled;
    this.name = `core on tile ${compiled.core.tile.name}`;
    this.id = id;
    this.#observe = observe;
    this.#ports = compiled.ports.map((port) => {
      const memories = port.buffers.map((b) => system.memory(b.id));
      return { port, memories, free: system.lock(port.acquire), full: system.lock(port.release), held: 0, first: 0 };
    });
    this.#locks = compiled.locks.map((l) => system.lock(l));
    this.#buffers = compiled.buffers.map((b) => system.memory(b.id));
    this.#body = program(this);
  }

  get time(): number {
    return this.t + this.stalled;
  }

  step(): void {
    try {
      this.done = this.#body.next().done === true;
      this.blocked = !this.done;
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      throw new HeddleError(e.message, {
        subject: this.name,
        loc: this.compiled.accesses[this.#place]?.loc ?? this.compiled.core.op.loc,
      });
    }
  }

  reasons(): Reason[] {
    return this.#wait ? [{ text: this.#wait.what, by: this.#wait.lock.givers }] : [];
  }

  // What the compiled body calls

  memory(buffer: number): Memory {
    return this.#buffers[buffer]!;
  }

  /** Memory of the core's own stack, by the place that asks for it. */
  stack(place: number): Memory {
    const known = this.#stack.get(place);
    if (known) return known;
    const { loc, stack } = this.#at(place);
    const { tile } = this.compiled.core;
    const own = { id: -1, name: "an alloca", tile, type: stack!, owner: "the stack", loc };
    const memory = new Memory({ ...own, initial: undefined, address: undefined }, false);
    this.#stack.set(place, memory);
    return memory;
  }

  #at(place: number): Access {
    return this.compiled.accesses[place]!;
  }

  acquire(id: number, n: number, place: number): boolean {
    const p = this.#ports[id]!;
    const need = n - p.held;
    if (need <= 0) return true;
    const { side, fifo, factor } = p.port;
    const what = side === "Consume" ? "full" : "free";
    if (
      !this.#take(p.free, need * factor, `${n > 1 ? `${n} ${what} elements` : `a ${what} element`} of @${fifo}`, place)
    )
      return false;
    for (let i = 0; i < need; i++) {
      const memory = p.memories[(p.first + p.held + i) % p.memories.length]!;
      memory.hold(side === "Produce");
      if (side === "Consume") this.#observe?.({ core: this.compiled.core, fifo, side, words: memory.words.slice() });
    }
    p.held = n;
    return true;
  }

  element(id: number, i: number, place: number): Memory {
    const p = this.#ports[id]!;
    const q = this.#at(place);
    if (i < p.held) return p.memories[(p.first + i) % p.memories.length]!;
    throw new HeddleError(`element ${i} of @${p.port.fifo} was released`, {
      subject: `${this.name}, ${q.op}`,
      loc: q.loc,
    });
  }

  release(id: number, n: number, place: number): void {
    const p = this.#ports[id]!;
    const q = this.#at(place);
    if (n > p.held)
      throw new HeddleError(`releases ${n} of @${p.port.fifo} (${p.port.side}) but holds ${p.held}`, {
        subject: this.name,
        loc: q.loc,
        hint: "acquire as many as are released",
      });
    for (let i = 0; i < n; i++) {
      const memory = p.memories[(p.first + i) % p.memories.length]!;
      const { fifo, side } = p.port;
      if (side === "Produce") this.#observe?.({ core: this.compiled.core, fifo, side, words: memory.words.slice() });
      memory.letGo();
    }
    p.first = (p.first + n) % p.memories.length;
    p.held -= n;
    p.full.give(n * p.port.factor, this.time, this.id, q.loc);
  }

  lock(id: number, n: number, place: number): boolean {
    const lock = this.#locks[id]!;
    return this.#take(lock, n, `lock ${lock.lock.name} on tile ${lock.lock.tile.name}`, place);
  }

  unlock(id: number, n: number, place: number): void {
    this.#locks[id]!.give(n, this.time, this.id, this.#at(place).loc);
  }

  #take(lock: LockState, n: number, what: string, place: number): boolean {
    this.#place = place;
    const time = lock.take(n, this, this.id);
    if (time === undefined) {
      this.#wait = { lock, what: `${what} (has ${lock.value}, needs ${n})` };
      return false;
    }
    this.#wait = undefined;
    if (time > this.time) this.stalled += time - this.time;
    return true;
  }

  read(m: Memory, at: number, place: number): void {
    m.read(at, this.#at(place), this.name, this.id);
  }

  write(m: Memory, at: number, place: number): void {
    m.write(at, this.#at(place), this.name, this.id);
  }

  outside(place: number, dim: number, i: number, extent: number): never {
    const q = this.#at(place);
    throw new HeddleError(
      `touches ${extent > 1 ? `elements ${i} to ${i + extent - 1}` : `element ${i}`} of dimension ${dim} of ${q.memref}`,
      { subject: `${this.name}, ${q.op}`, loc: q.loc },
    );
  }

  lane(place: number, dim: number, i: number): never {
    const q = this.#at(place);
    throw new HeddleError(`lane ${i} of dimension ${dim} is outside of the vector`, {
      subject: `${this.name}, ${q.op}`,
      loc: q.loc,
    });
  }

  badStep(): never {
    throw new HeddleError("a loop has a step that is not positive", {
      subject: this.name,
      loc: this.compiled.accesses[this.#place]?.loc,
    });
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
