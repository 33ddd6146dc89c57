/** What tables of RESULTS.md are made of. */
import type { Row } from "./record.ts";

export type Cell = string | number;
export const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((r) => `| ${r.join(" | ")} |`).join("\n");

export const number = (x: number | undefined, digits: number): string => (x === undefined ? "-" : x.toFixed(digits));
export const megabytes = (x: number | undefined): string => (x === undefined ? "-" : (x / 1e6).toFixed(0));

/** Where rows that were taken together come from. */
export const taken = (rows: readonly Row[]): string => {
  const r = rows[0]!;
  return `All \`${r.source}\` on ${r.device}; version ${r.version}.`;
};

export const percent = (x: number | undefined): string => (x === undefined ? "-" : `${(x * 100).toFixed(0)}%`);
