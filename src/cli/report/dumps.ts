/** The report's graphs: the first in full, then what each pass changed as a unified diff. */
import { type StructuredPatchHunk, structuredPatch } from "diff";
import type { ReportData } from "./data.ts";
import { escapeHtml } from "./element.ts";

type Dump = ReportData["dumps"][number];

export const dumpSection = (dumps: ReportData["dumps"]): string =>
  dumps.map((d, i) => dump(d, dumps[i - 1])).join("\n");

function dump({ title, text }: Dump, before: Dump | undefined): string {
  if (!before)
    return `<details class="first"><summary>${escapeHtml(title)}</summary><pre>${escapeHtml(text)}</pre></details>`;
  const { hunks } = structuredPatch("", "", before.text, text, "", "", { context: 3 });
  const count = (mark: string) => hunks.reduce((n, h) => n + h.lines.filter((l) => l.startsWith(mark)).length, 0);
  const size = hunks.length === 0 ? "nothing changed" : `+${count("+")} −${count("-")} lines`;
  return `<details><summary>${escapeHtml(title)} <span class="note">${size}</span></summary><pre>${hunks.map(hunk).join("")}</pre><details><summary>whole graph</summary><pre>${escapeHtml(text)}</pre></details></details>`;
}

function hunk({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk): string {
  const head = `<span class="gap">@@ -${oldStart},${oldLines} +${newStart},${newLines} @@</span>`;
  return `${[head, ...lines.map(line)].join("\n")}\n`;
}

const line = (text: string): string => {
  const kind = text.startsWith("+") ? "added" : text.startsWith("-") ? "removed" : undefined;
  return kind ? `<span class="${kind}">${escapeHtml(text)}</span>` : escapeHtml(text);
};
