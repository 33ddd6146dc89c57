/** The table of suite gemma. */
import type { Row } from "./record.ts";
import { gemmaPrecision, gemmaPrograms, promptTokens, threadCounts } from "./suites/gemma.ts";
import { type Cell, megabytes, number, percent, table, taken } from "./tables.ts";

/** Heddle and llama.cpp, at each number of threads. */
export function gemmaTable(rows: readonly Row[]): string {
  const find = (program: string, metric: string, threads: number) =>
    rows.find(
      (r) => r.program === program && r.metric === `${metric}, ${threads} ${threads === 1 ? "thread" : "threads"}`,
    )?.value;
  const times = (x: number | undefined): string => (x === undefined ? "" : ` (${x.toFixed(2)}x)`);
  const lines = threadCounts.flatMap((threads) =>
    gemmaPrograms.map((program): Cell[] => {
      const at = (metric: string) => find(program, metric, threads);
      return [
        `${program}, ${threads} ${threads === 1 ? "thread" : "threads"}`,
        number(at("decode"), 1) + times(at("decode over llama.cpp")),
        percent(at("share of read bandwidth")),
        number(at("prefill"), 0) + times(at("prefill over llama.cpp")),
        megabytes(at("peak memory")),
      ];
    }),
  );
  const head = ["program", "decode tokens/s", "of read bandwidth", "prefill tokens/s", "peak MB"];
  return table(head, lines);
}

export function renderGemma(rows: readonly Row[]): string {
  return [
    `## Gemma 3 270M, ${gemmaPrecision}, real weights`,
    taken(rows),
    `A prompt of ${promptTokens} tokens, then greedy tokens; both in turns, medians. In brackets: over llama.cpp, by the median over the turns. ` +
      "`of read bandwidth`: the bytes of weights that a token needs, over its time, against a read loop with as many threads that asks for memory ahead, as the kernels do. " +
      "Both are Node.js processes that load the same GGUF file or what was compiled from it.",
    gemmaTable(rows),
  ].join("\n\n");
}
