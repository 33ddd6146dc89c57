/**
 * Races on buffers that several actors touch: an access must come after every earlier one of another actor, where one of both
 * writes, by a chain of lock releases and acquires. Vector clocks, as in FastTrack (Flanagan and Freund, 2009), element by element.
 */
import { HeddleError, type Loc, showLoc } from "../../../ir/error.ts";
import type { Memory } from "./memory.ts";

interface Last {
  readonly actor: number;
  readonly clock: number;
  readonly loc: Loc;
}

export class Races {
  readonly #clocks: Uint32Array[];
  readonly #names: readonly string[];
  readonly #writes = new Map<Memory, Map<number, Last>>();
  readonly #reads = new Map<Memory, Map<number, Map<number, Last>>>();

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#clocks = names.map((_, i) => {
      const clock = new Uint32Array(names.length);
      clock[i] = 1;
      return clock;
    });
  }

  /** A fresh clock for a lock. */
  clock(): Uint32Array {
    return new Uint32Array(this.#names.length);
  }

  /** What the actor did so far happens before whatever takes the lock next. */
  released(actor: number, lock: Uint32Array): void {
    join(lock, this.#clocks[actor]!);
    this.#clocks[actor]![actor]!++;
  }

  acquired(actor: number, lock: Uint32Array): void {
    join(this.#clocks[actor]!, lock);
  }

  /** @throws HeddleError naming both actors, tile and buffer. */
  touch(memory: Memory, element: number, write: boolean, actor: number, loc: Loc): void {
    const clock = this.#clocks[actor]!;
    const now: Last = { actor, clock: clock[actor]!, loc };
    const writes = at(this.#writes, memory);
    const reads = at(this.#reads, memory);
    const before = (last: Last) => last.actor === actor || last.clock <= clock[last.actor]!;
    const wrote = writes.get(element);
    if (wrote && !before(wrote)) this.#fail(memory, element, wrote, "written", now, write);
    const readers = reads.get(element);
    if (write) {
      for (const last of readers?.values() ?? [])
        if (!before(last)) this.#fail(memory, element, last, "read", now, write);
      writes.set(element, now);
      reads.delete(element);
    } else if (readers) readers.set(actor, now);
    else reads.set(element, new Map([[actor, now]]));
  }

  #fail(memory: Memory, element: number, last: Last, did: string, now: Last, write: boolean): never {
    throw new HeddleError(
      `element ${element} is ${did} by ${this.#names[last.actor]} (${showLoc(last.loc)}) and ${write ? "written" : "read"} by ${this.#names[now.actor]} with no lock between them`,
      { subject: `buffer ${memory.name}`, loc: now.loc, hint: "aie.use_lock on both sides, or an objectFIFO" },
    );
  }
}

function join(to: Uint32Array, from: Uint32Array): void {
  for (let i = 0; i < to.length; i++) if (from[i]! > to[i]!) to[i] = from[i]!;
}

function at<V>(map: Map<Memory, Map<number, V>>, key: Memory): Map<number, V> {
  const found = map.get(key) ?? new Map<number, V>();
  map.set(key, found);
  return found;
}
