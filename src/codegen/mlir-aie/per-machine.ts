/** What a planner works out again and again for the same machine, kept as long as the machine is. */
import type { AieMachine } from "../../targets/aie-machine.ts";

/** @returns what `make` gave for this key on this machine the first time. */
export function perMachine<T>(): (machine: AieMachine, key: string, make: () => T) => T {
  const all = new WeakMap<AieMachine, Map<string, T>>();
  return (machine, key, make) => {
    const known = all.get(machine) ?? new Map<string, T>();
    all.set(machine, known);
    if (!known.has(key)) known.set(key, make());
    return known.get(key)!;
  };
}
