/** Statistics of a session, for people. */
import type { SessionStats } from "../../runtime/statistics.ts";
import { bytes, duration } from "./format.ts";

const count = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

const phase = ({ tokens, ms }: { tokens: number; ms: number }): string =>
  tokens === 0 ? "none" : `${count(tokens, "token")} in ${duration(ms)}, ${((tokens / ms) * 1000).toFixed(1)} tokens/s`;

/** One line per figure, the name in front. All times are measured. */
export function showStats(stats: SessionStats): string {
  const { cache } = stats;
  const place = cache.appendedBy === "graph" ? "in place, inside the graph" : "copied by the session";
  const append = cache.appendMs === undefined ? place : `${duration(cache.appendMs)}, ${place}`;
  const growths = cache.growths === 0 ? "" : `, grown ${count(cache.growths, "time")} in ${duration(cache.growthMs)}`;
  const rows: [string, string][] = [
    ["prefill", phase(stats.prefill)],
    ["decode", phase(stats.decode)],
    [
      "cache",
      cache.peakBytes === 0
        ? "none: the program computes the whole sequence again for every token"
        : `${bytes(cache.bytes)}, ${cache.length} of ${cache.context} tokens used${growths}, at most ${bytes(cache.peakBytes)}`,
    ],
    ...(cache.peakBytes === 0 ? [] : ([["append", append]] as [string, string][])),
    [
      "saved",
      `${(stats.savedShare * 100).toFixed(1)}% of keys and values: ${count(stats.reusedTokens, "token")} taken from the cache, ${stats.computedTokens.toLocaleString("en")} computed`,
    ],
    ...(stats.slides === 0 ? [] : ([["slides", count(stats.slides, "time")]] as [string, string][])),
    ["graphs", `${stats.entries.join(", ")} built in ${duration(stats.buildMs)}`],
  ];
  return rows.map(([name, text]) => `${name.padEnd(9)}${text}`).join("\n");
}
