/** The state of a run that its actors share. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { Hardware, Lock } from "../hardware.ts";
import { LockState } from "./lock.ts";
import { Memory } from "./memory.ts";
import type { Races } from "./races.ts";

/** Memories of the last run of a design, for the next one: there are megabytes of them. */
const known = new WeakMap<Hardware, readonly Memory[]>();

function memoriesOf(hardware: Hardware): readonly Memory[] {
  const explicit = new Set([...hardware.bufferOf.values()].map((b) => b.id));
  const memories = known.get(hardware) ?? hardware.buffers.map((b) => new Memory(b, !explicit.has(b.id)));
  known.set(hardware, memories);
  return memories;
}

export class System {
  readonly machine: AieMachine;
  readonly hardware: Hardware;
  /** Cycles per byte of a shim channel, and of all of them together. */
  readonly channelCycles: number;
  readonly ddrCycles: number;
  /** When the memory of the host is free again. */
  ddrFree = 0;
  ddrRead = 0;
  ddrWritten = 0;
  readonly #memories: readonly Memory[];
  readonly #locks: readonly LockState[];

  /** @param shared ids of buffers that several actors touch. */
  constructor(machine: AieMachine, hardware: Hardware, shared: ReadonlySet<number>, races: Races | undefined) {
    this.machine = machine;
    this.hardware = hardware;
    this.channelCycles = machine.clockHz / machine.shimChannelRate;
    this.ddrCycles = machine.clockHz / machine.ddrRate;
    this.#memories = memoriesOf(hardware);
    for (const [id, m] of this.#memories.entries()) m.reset(shared.has(id) ? races : undefined);
    this.#locks = hardware.locks.map((l) => new LockState(l, races));
  }

  memory(id: number): Memory {
    return this.#memories[id]!;
  }

  lock(lock: Lock): LockState {
    return this.#locks[lock.id]!;
  }

  lockById(id: number): LockState {
    return this.#locks[id]!;
  }
}
