/** Graphs after every pass as text: the first in full, then what each pass changed. */
import { structuredPatch } from "diff";
import pc from "picocolors";

export function dumpText(dumps: readonly { readonly title: string; readonly text: string }[]): string {
  const sections = dumps.map(({ title, text }, i) => {
    const before = dumps[i - 1]?.text;
    return `${pc.bold(title)}\n${before === undefined ? text : changes(before, text)}`;
  });
  return `${sections.join("\n")}`;
}

function changes(before: string, after: string): string {
  const { hunks } = structuredPatch("", "", before, after, "", "", { context: 2 });
  if (hunks.length === 0) return "  nothing changed\n";
  const paint = (line: string) => (line.startsWith("+") ? pc.green(line) : line.startsWith("-") ? pc.red(line) : line);
  return hunks.map((h) => `${pc.dim(`line ${h.newStart}`)}\n${h.lines.map(paint).join("\n")}\n`).join("");
}
