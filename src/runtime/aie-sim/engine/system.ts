/** The state of a run that its actors share. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import type { Hardware, Lock } from "../hardware.ts";
import { LockState } from "./lock.ts";
import { Memory } from "./memory.ts";
import type { Races } from "./races.ts";

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
    const explicit = new Set([...hardware.bufferOf.values()].map((b) => b.id));
    this.#memories = hardware.buffers.map(
      (b) => new Memory(b, !explicit.has(b.id), shared.has(b.id) ? races : undefined),
    );
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
