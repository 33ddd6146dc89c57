/** Graphs after every pass as text: the first in full, then what each pass changed. */
import { type StructuredPatchHunk, structuredPatch } from "diff";
import picocolors from "picocolors";

// Only for a terminal: picocolors alone would also colour a file where CI is set.
const pc = picocolors.createColors(picocolors.isColorSupported && process.stdout.isTTY === true);

export function dumpText(dumps: readonly { readonly title: string; readonly text: string }[]): string {
  const sections = dumps.map(({ title, text }, i) => {
    const before = dumps[i - 1]?.text;
    return `${pc.bold(`=== ${i === 0 ? "the model" : `after ${title}`} ===`)}\n${before === undefined ? text : changes(before, text)}`;
  });
  return sections.join("\n");
}

function changes(before: string, after: string): string {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: 2 });
  if (hunks.length === 0) return "  nothing changed\n";
  const paint = (line: string) => (line.startsWith("+") ? pc.green(line) : line.startsWith("-") ? pc.red(line) : line);
  return hunks.map((h) => `${pc.cyan(hunkHead(h))}\n${h.lines.map(paint).join("\n")}\n`).join("");
}

/** `@@ -26,4 +26,6 @@`, as diff and git write it. */
const hunkHead = ({ oldStart, oldLines, newStart, newLines }: StructuredPatchHunk): string =>
  `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`;
