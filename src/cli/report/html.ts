/** `report.html`: one self-contained page about a compile. Passes, what each changed, what each entry point costs. */
import { diffLines } from "diff";
import { bytes, duration, flops } from "../support/format.ts";
import type { ReportData, ReportEntry, ReportPass } from "./data.ts";
import { style } from "./style.ts";

/** @returns the page's text; equal data give equal bytes but for the times. */
export function reportHtml(data: ReportData): string {
  const { program, model, target, precision, weights } = data;
  const facts = { model, target, precision, weights };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(program)} · Heddle</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(program)}</h1>
<dl class="facts">${Object.entries(facts).map(fact).join("")}</dl>
</header>
<main>
<section><h2>Passes</h2>${passTable(data.passes)}</section>
<section><h2>Entry points</h2>${entryTable(data.entries)}<p class="note">Costs are counted from the graph (modelled): arithmetic, and bytes that one run reads or writes.</p></section>
<section><h2>Graph after every pass</h2>${data.dumps.map((d, i) => dump(d, data.dumps[i - 1])).join("\n")}</section>
<section><h2>Artifacts</h2>${artifactTable(data.artifacts)}</section>
</main>
</body>
</html>
`;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);

const fact = ([name, value]: [string, string]): string => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`;

/** Cells are HTML; columns from the second on are numbers unless listed in `texts`. */
function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts: readonly number[] = [],
): string {
  const cell = (tag: string) => (html: string, i: number) =>
    `<${tag}${i > 0 && !texts.includes(i) ? ' class="number"' : ""}>${html}</${tag}>`;
  const row = (tag: string, cells: readonly string[]) => `<tr>${cells.map(cell(tag)).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${row("th", head)}</thead><tbody>${rows.map((r) => row("td", r)).join("")}</tbody></table></div>`;
}

function passTable(passes: readonly ReportPass[]): string {
  if (passes.length === 0) return "<p>None: the model is compiled as it was written.</p>";
  const misses = (p: ReportPass) =>
    p.misses.length === 0
      ? ""
      : `<details><summary>${p.misses.length} left alone</summary><ul>${p.misses.map((m) => `<li>${escapeHtml(m)}</li>`).join("")}</ul></details>`;
  return htmlTable(
    ["pass", "hits", "nodes", "time", "what it does"],
    passes.map((p) => [
      `<b>${escapeHtml(p.name)}</b>`,
      String(p.hits),
      `${p.nodesBefore} → ${p.nodesAfter}`,
      duration(p.ms),
      `${escapeHtml(p.doc)}${p.proof === undefined ? "" : `<br><span class="proof">${escapeHtml(p.proof)}</span>`}${misses(p)}`,
    ]),
    [4],
  );
}

function entryTable(entries: readonly ReportEntry[]): string {
  const total = (e: ReportEntry) => e.cost.weightBytes + e.cost.cacheBytes + e.cost.activationBytes;
  const most = Math.max(...entries.map(total));
  const bar = (e: ReportEntry) => {
    const part = (kind: string, n: number) => `<i class="${kind}" style="width:${((100 * n) / most).toFixed(2)}%"></i>`;
    const { weightBytes, cacheBytes, activationBytes } = e.cost;
    return `<div class="bar">${part("weights", weightBytes)}${part("cache", cacheBytes)}${part("activations", activationBytes)}</div>`;
  };
  return htmlTable(
    ["entry point", "tokens", "context", "arithmetic", "weights", "caches", "activations", "bytes"],
    entries.map((e) => [
      `<b>${escapeHtml(e.name)}</b>`,
      String(e.tokens),
      String(e.context),
      flops(e.cost.flops),
      bytes(e.cost.weightBytes),
      bytes(e.cost.cacheBytes),
      bytes(e.cost.activationBytes),
      bar(e),
    ]),
    [7],
  );
}

type Dump = ReportData["dumps"][number];

/** The first graph in full; of every other one the lines that changed, with two lines around them. */
function dump(now: Dump, before: Dump | undefined): string {
  const body = before ? diff(before.text, now.text) : escapeHtml(now.text);
  const whole = before ? `<details><summary>whole graph</summary><pre>${escapeHtml(now.text)}</pre></details>` : "";
  return `<details${before ? "" : ' class="first"'}><summary>${escapeHtml(now.title)}</summary><pre>${body || "nothing changed"}</pre>${whole}</details>`;
}

function diff(before: string, after: string): string {
  const context = 2;
  const parts = diffLines(before, after);
  return parts
    .map((part, i) => {
      const lines = part.value.replace(/\n$/, "").split("\n");
      const mark = part.added ? "+" : part.removed ? "-" : " ";
      const show = (l: string) => `${mark} ${escapeHtml(l)}`;
      if (mark !== " ")
        return `<span class="${part.added ? "added" : "removed"}">${lines.map(show).join("\n")}</span>\n`;
      const head = i === 0 ? 0 : context;
      const tail = i === parts.length - 1 ? 0 : context;
      if (lines.length <= head + tail + 1) return `${lines.map(show).join("\n")}\n`;
      const kept = [
        ...lines.slice(0, head).map(show),
        `<span class="gap">  ⋯ ${lines.length - head - tail} lines</span>`,
      ];
      return `${[...kept, ...(tail ? lines.slice(-tail).map(show) : [])].join("\n")}\n`;
    })
    .join("");
}

const artifactTable = (artifacts: ReportData["artifacts"]): string =>
  htmlTable(
    ["file", "size"],
    artifacts.map((a) => [`<code>${escapeHtml(a.file)}</code>`, bytes(a.bytes)]),
  );
