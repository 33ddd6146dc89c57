/** bench/RESULTS.md from the rows: tables a person can read, each number with its source, device and version. */

import type { Row } from "./record.ts";
import { renderAie } from "./render-aie.ts";
import { gemmaTable, renderGemma } from "./render-gemma.ts";
import { renderGemmaHtp } from "./render-gemma-htp.ts";
import { htpTable, htpTaken, renderHtp } from "./render-htp.ts";
import { builds, lengths } from "./suites/variants.ts";
import { megabytes, number, percent, table, taken } from "./tables.ts";

/** The whole page. */
export function renderResults(rows: readonly Row[]): string {
  const parts = [
    "# Results",
    "Written by `npm run bench` from `bench/results.json`. Every row there has its source, device and version; nothing here is typed by hand.",
  ];
  const of = (suite: string) => rows.filter((r) => r.suite === suite);
  if (of("variants").length) parts.push(renderVariants(of("variants")));
  if (of("gemma").length) parts.push(renderGemma(of("gemma")));
  if (of("gemma-htp").length) parts.push(renderGemmaHtp(of("gemma-htp")));
  if (of("htp").length) parts.push(renderHtp(of("htp")));
  if (of("compile").length) parts.push(renderCompile(of("compile")));
  if (of("htp-compile").length)
    parts.push(renderFigures("To an NPU binary: GPT-2 124M, a prefill and a decode graph", of("htp-compile")));
  if (of("aie").length) parts.push(renderAie(of("aie"), figureTable));
  if (of("aie-tools").length) parts.push(renderFigures("Tools for the AIE array", of("aie-tools")));
  return `${parts.join("\n\n")}\n`;
}

/** A line per number. */
function renderFigures(title: string, rows: readonly Row[]): string {
  return `## ${title}\n\n${taken(rows)}\n\n${figureTable(rows)}`;
}

function figureTable(rows: readonly Row[]): string {
  const lines = rows.map((r) => [
    r.program,
    r.precision,
    r.context || "-",
    r.metric,
    `${Number(r.value.toPrecision(3))} ${r.unit}`,
  ]);
  return table(["what", "precision", "tokens", "metric", "value"], lines);
}

/** Tables of README.md by the name of their markers, `<!-- gemma: ... -->` to `<!-- end of gemma -->`. */
const readmeTables: Readonly<Record<string, (rows: readonly Row[]) => string>> = {
  variants: (rows) => `${taken(rows)}\n\n${variantTable(rows, 256)}`,
  htp: (rows) => `${htpTaken(rows)}\n\n${htpTable(rows, 256)}`,
  gemma: (rows) => `${taken(rows)}\n\n${gemmaTable(rows)}`,
};

/** README.md with its tables between their markers. @throws Error where markers are gone. */
export function renderReadme(readme: string, rows: readonly Row[]): string {
  for (const [suite, show] of Object.entries(readmeTables)) {
    const own = rows.filter((r) => r.suite === suite);
    const parts = new RegExp(`^([\\s\\S]*<!-- ${suite}:.*-->\\n)[\\s\\S]*(<!-- end of ${suite} -->[\\s\\S]*)$`).exec(
      readme,
    );
    if (!parts) throw new Error(`README.md has lost the markers of the ${suite} table`);
    readme = `${parts[1]}${own.length ? `${show(own)}\n` : ""}${parts[2]}`;
  }
  return readme;
}

const share = "share of read bandwidth";

/** The programs and the peer at one length. */
function variantTable(rows: readonly Row[], n: number): string {
  const get = (program: string, precision: string, context: number, metric: string) =>
    rows.find((r) => r.program === program && r.precision === precision && r.context === context && r.metric === metric)
      ?.value;
  const base = get("gpt2-baseline", "f32", n, "generate");
  const lines = builds.map(([p, precision]) => {
    const at = (metric: string) => get(p, precision, n, metric);
    const speed = at("generate");
    const gain = speed !== undefined && base !== undefined ? `${(speed / base).toFixed(1)}x` : "-";
    return [
      `${p}, ${precision}`,
      number(speed, 1),
      gain,
      number(at("step"), 1),
      number(at("first token"), 1),
      megabytes(at("peak memory")),
      number((at("cache") ?? 0) / 1e6, 1),
      percent(at(share)),
    ];
  });
  const peers = ["gpt2-baseline", "gpt2-fa2-kv"].map((p) => {
    const at = (metric: string) => get(`ONNX Runtime: ${p}`, "f32", n, metric);
    const memory = megabytes(at("peak memory"));
    return [`ONNX Runtime CPU: ${p}, f32`, "-", "-", number(at("step"), 1), "-", memory, "-", percent(at(share))];
  });
  const head = [
    "program, weights",
    "tokens/s",
    "speedup",
    "step ms",
    "first token ms",
    "peak MB",
    "cache MB",
    "of read bandwidth",
  ];
  return table(head, [...lines, ...peers]);
}

function renderVariants(rows: readonly Row[]): string {
  const rate = rows.find((r) => r.program === "read loop")?.value;
  const sections = lengths.map((n) => `### ${n} tokens\n\n${variantTable(rows, n)}`);
  return [
    "## GPT-2 124M, six programs",
    taken(rows),
    "`tokens/s`: the whole sequence made from one token on, greedily. `step`: the one that makes the last token (without a cache: the whole sequence again). `first token`: a prompt of that many tokens. `of read bandwidth`: weights and live cache bytes over the step, against a plain read loop that takes turns with it" +
      (rate === undefined ? "." : ` (median ${rate.toFixed(1)} GB/s).`),
    ...sections,
  ].join("\n\n");
}

function renderCompile(rows: readonly Row[]): string {
  const lines = rows.map((r) => [r.metric.replace("compile, ", ""), number(r.value, 0)]);
  return ["## Compile time of gpt2-fa2-kv at 124M", taken(rows), table(["part", "ms (median of 5)"], lines)].join(
    "\n\n",
  );
}
