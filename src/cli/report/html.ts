/** `report.html`: one self-contained page about a compile. Passes, what each changed, what each entry point costs. */
import { bytes, duration } from "../support/format.ts";
import type { ReportData, ReportPass } from "./data.ts";
import { dumpSection } from "./dumps.ts";
import { escapeHtml, htmlTable } from "./element.ts";
import { entrySection } from "./entries.ts";
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
<section><h2>Entry points</h2>${entrySection(data.entries, data.whole)}</section>
<section><h2>Graph after every pass</h2>${dumpSection(data.dumps)}</section>
<section><h2>Artifacts</h2>${artifactTable(data.artifacts)}</section>
</main>
</body>
</html>
`;
}

const fact = ([name, value]: [string, string]): string => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`;

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

const artifactTable = (artifacts: ReportData["artifacts"]): string =>
  htmlTable(
    ["file", "size"],
    artifacts.map((a) => [`<code>${escapeHtml(a.file)}</code>`, bytes(a.bytes)]),
  );
