/** The compiler's own count of DDR traffic, which it prints to its log at level `info` when a graph is final. */
import type { LogLine } from "../runtime/addon.ts";
import type { DdrTraffic } from "./types.ts";

const title = "DDR bandwidth summary";
const fields = {
  spill_bytes: "spilled",
  fill_bytes: "filled",
  write_total_bytes: "written",
  read_total_bytes: "read",
} as const satisfies Record<string, keyof DdrTraffic>;

/** @returns the last summary among the lines, or nothing where there is none or a field of it is missing */
export function readDdrSummary(log: readonly LogLine[]): DdrTraffic | undefined {
  const start = log.findLastIndex((line) => line.text.includes(title));
  if (start < 0) return undefined;
  const found: Partial<Record<keyof DdrTraffic, number>> = {};
  for (const { text } of log.slice(start)) {
    const [, name, value] = /^\s*(\w+)=(\d+)\s*$/.exec(text) ?? [];
    if (name !== undefined && name in fields) found[fields[name as keyof typeof fields]] = Number(value);
  }
  const { read, written, spilled, filled } = found;
  if (read === undefined || written === undefined || spilled === undefined || filled === undefined) return undefined;
  return { read, written, spilled, filled };
}
