/** Who waits for whom when nothing moves any more. */
import { HeddleError, type Loc } from "../../../ir/error.ts";
import type { Actor, Reason } from "./actor.ts";

interface Step {
  readonly actor: Actor;
  readonly reason: Reason | undefined;
}

/** A chain of waits from an actor: to one that is met again, or to one that waits for nobody. */
function follow(start: Actor): { chain: Step[]; cycle: boolean } {
  const failed = new Set<Actor>();
  let longest: Step[] = [];
  const search = (actor: Actor, path: readonly Step[]): Step[] | undefined => {
    const met = path.findIndex((s) => s.actor === actor);
    if (met >= 0) return path.slice(met);
    const reasons = actor.done ? [] : actor.reasons();
    if (failed.has(actor) || reasons.every((r) => r.by.length === 0)) {
      const end = [...path, { actor, reason: reasons[0] }];
      if (end.length > longest.length) longest = end;
      return undefined;
    }
    for (const reason of reasons)
      for (const next of reason.by) {
        const cycle = search(next, [...path, { actor, reason }]);
        if (cycle) return cycle;
      }
    failed.add(actor);
    return undefined;
  };
  const cycle = search(start, []);
  return cycle ? { chain: cycle, cycle: true } : { chain: longest, cycle: false };
}

/** @throws HeddleError always: the cycle of waits, or the chain that ends at who gives nothing any more. */
export function deadlock(actors: readonly Actor[], sequence: Actor, loc: Loc): never {
  const waiting = [sequence, ...actors.filter((a) => a !== sequence && a.blocked && !a.done)];
  const found = waiting.map(follow);
  const { chain, cycle } = found.find((f) => f.cycle) ?? found[0]!;
  const lines = chain.map(({ actor, reason }, i) => {
    if (reason)
      return `  ${actor.name} waits for ${reason.text}${i === chain.length - 1 && !cycle ? ", which nobody gives" : ""}`;
    return `  ${actor.name} has ended`;
  });
  if (cycle) lines.push(`  ${chain[0]!.actor.name}: a cycle`);
  const time = Math.max(...actors.map((a) => a.time));
  throw new HeddleError(`deadlock: nothing moves after ${Math.round(time)} cycles (modelled)\n${lines.join("\n")}`, {
    subject: "the design",
    loc,
    hint: cycle ? "a deeper FIFO, or another order of acquires" : "as many elements given as taken",
  });
}
