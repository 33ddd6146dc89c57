/** The vendor's performance model: events that finalization leaves in a detailed profile, on a SoC that it has costs for. */
import type { ProfileEvent } from "../runtime/addon.ts";
import type { Simulated } from "./types.ts";

/** Types of the events. */
const events = { cycles: 2006, uncosted: 2017, uncostedOp: 2018, us: 2019, usLower: 2020, usUpper: 2021 } as const;

/** @returns nothing where the compiler gave no estimate: it has none for most SoCs, 60 among them */
export function readSimulated(profile: readonly ProfileEvent[]): Simulated | undefined {
  const all = flatten(profile);
  const value = (type: number): number | undefined => all.find((e) => e.type === type)?.value;
  const us = value(events.us);
  const cycles = value(events.cycles);
  if (us === undefined || cycles === undefined) return undefined;
  return {
    us,
    usLower: value(events.usLower) ?? us,
    usUpper: value(events.usUpper) ?? us,
    cycles,
    uncosted: all.filter((e) => e.type === events.uncostedOp).map((e) => e.identifier),
  };
}

const flatten = (list: readonly ProfileEvent[]): ProfileEvent[] => list.flatMap((e) => [e, ...flatten(e.children)]);
