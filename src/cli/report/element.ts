/** Pieces of HTML that several parts of the report need. */

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);

/** Cells are HTML; columns from the second on are numbers unless listed in `texts`. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  texts: readonly number[] = [],
): string {
  const cell = (tag: string) => (html: string, i: number) =>
    `<${tag}${i > 0 && !texts.includes(i) ? ' class="number"' : ""}>${html}</${tag}>`;
  const row = (tag: string, cells: readonly string[]) => `<tr>${cells.map(cell(tag)).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${row("th", head)}</thead><tbody>${rows.map((r) => row("td", r)).join("")}</tbody></table></div>`;
}
