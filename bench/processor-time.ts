/** Seconds on the clock and of processors that child processes take, their own children included. */
import { readFileSync } from "node:fs";

export interface Measured {
  readonly wall: number;
  readonly processor: number;
}

/** Clock ticks per second of `/proc`: fixed on Linux, whatever the kernel's own. */
const ticks = 100;

/** Of all children that have ended so far, in seconds: `cutime + cstime` of proc(5). Linux only, as Qualcomm's compiler is. */
function childSeconds(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // Fields 16 and 17; the second, the name in parentheses, may have spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / ticks;
}

/** What the children that `run` starts take; it must wait for them, and nothing else may start any meanwhile. */
export async function measured(run: () => Promise<unknown>): Promise<Measured> {
  const [start, before] = [performance.now(), childSeconds()];
  await run();
  return { wall: (performance.now() - start) / 1000, processor: childSeconds() - before };
}
