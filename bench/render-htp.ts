/** The table of suite htp. */
import type { Row } from "./record.ts";
import { htpBuilds, htpLengths, htpPeers, peerOf, promptLength } from "./suites/htp.ts";
import { type Cell, number, percent, table, taken } from "./tables.ts";

const all = [...htpBuilds, ...htpPeers.map((program) => [peerOf(program), "f16"] as const)];
const ms = (us: number | undefined): string => number(us === undefined ? undefined : us / 1000, 2);

/** Where its rows come from: most are simulated, seconds of compiling are not. */
export const htpTaken = (rows: readonly Row[]): string =>
  `${taken(rows.filter((r) => r.source === "vendor-simulated"))} Seconds of compiling are \`measured\` on ${rows.find((r) => r.source === "measured")?.device}.`;

const finder = (rows: readonly Row[]) => (program: string, precision: string, context: number, metric: string) =>
  rows.find((r) => r.program === program && r.precision === precision && r.context === context && r.metric === metric)
    ?.value;

/** The programs and ONNX Runtime at one length. */
export function htpTable(rows: readonly Row[], n: number): string {
  const find = finder(rows);
  const base = find("gpt2-baseline", "f16", n, "step");
  const lines = all.map(([program, precision]): Cell[] => {
    const at = (metric: string) => find(program, precision, n, metric);
    const [step, read, bound] = [at("step"), at("DDR read"), at("weights and live cache")];
    return [
      `${program}, ${precision}`,
      ms(step),
      base === undefined || step === undefined ? "-" : `${(base / step).toFixed(1)}x`,
      number(read === undefined ? undefined : read / 1e6, 1),
      read === undefined || bound === undefined ? "-" : `${(100 * (read / bound - 1)).toFixed(1)}%`,
      percent(at("share of bound")),
      number(at("finalize"), 1),
    ];
  });
  const head = ["program, precision", "step ms", "speedup", "DDR read MB", "over bound", "of bound", "finalize s"];
  return table(head, lines);
}

export function renderHtp(rows: readonly Row[]): string {
  const parts = [
    "## GPT-2 124M on Snapdragon X Elite's NPU, six programs",
    htpTaken(rows),
    "`step`: the one that makes the last token (without a cache: the whole sequence again). `DDR read`: of that step; `over bound` is what it " +
      "reads beyond weights and live keys and values. `of bound`: the time of reading just those at the simulated 45.8 GB/s over the step.",
  ];
  for (const n of htpLengths) parts.push(`### ${n} tokens`, htpTable(rows, n));
  const find = finder(rows);
  const prompts = all.map(([program, precision]) => [
    `${program}, ${precision}`,
    ms(find(program, precision, promptLength, "prefill")),
  ]);
  parts.push(`### A prompt of ${promptLength} tokens`, table(["program, precision", "ms"], prompts));
  return parts.join("\n\n");
}
