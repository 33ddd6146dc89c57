/** A counting lock. Every unit knows when it was given, so that who takes it later is not earlier. */
import { HeddleError, type Loc } from "../../../ir/error.ts";
import type { Lock } from "../hardware.ts";
import type { Actor } from "./actor.ts";
import type { Races } from "./races.ts";

export class LockState {
  readonly lock: Lock;
  /** Actors that give units of it, for saying why nobody does. */
  readonly givers: Actor[] = [];
  readonly #units: number[];
  #waiting: Actor[] = [];
  readonly #races: Races | undefined;
  readonly #clock: Uint32Array | undefined;

  constructor(lock: Lock, races: Races | undefined) {
    this.lock = lock;
    this.#units = new Array<number>(lock.init).fill(0);
    this.#races = races;
    this.#clock = races?.clock();
  }

  get value(): number {
    return this.#units.length;
  }

  /** When the units were given, or undefined where there are too few: the actor is then blocked until more are given. */
  take(n: number, actor: Actor, id: number): number | undefined {
    if (this.#units.length < n) {
      if (!this.#waiting.includes(actor)) this.#waiting.push(actor);
      return undefined;
    }
    let time = 0;
    for (const t of this.#units.splice(0, n)) if (t > time) time = t;
    if (this.#clock) this.#races!.acquired(id, this.#clock);
    return time;
  }

  give(n: number, time: number, id: number, loc: Loc): void {
    const { lockMax } = this.lock.tile.limits;
    if (this.#units.length + n > lockMax)
      throw new HeddleError(`counts beyond ${lockMax}`, {
        subject: `lock ${this.lock.name} on tile ${this.lock.tile.name}`,
        loc,
        hint: "more is released than acquired",
      });
    for (let i = 0; i < n; i++) this.#units.push(time);
    if (this.#clock) this.#races!.released(id, this.#clock);
    for (const actor of this.#waiting) actor.blocked = false;
    this.#waiting = [];
  }
}
