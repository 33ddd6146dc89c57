/** Figures and tables for people. */
import Table from "cli-table3";

const scaled = (value: number, step: number, units: readonly string[]): string => {
  let i = 0;
  while (Math.abs(value) >= step && i < units.length - 1) {
    value /= step;
    i++;
  }
  return `${i === 0 && Number.isInteger(value) ? value : value.toPrecision(3)} ${units[i]}`;
};

/** `1.50 MB`, decimal units. */
export const bytes = (n: number): string => scaled(n, 1000, ["B", "kB", "MB", "GB"]);
/** `85.1 MFLOP`. */
export const flops = (n: number): string => scaled(n, 1000, ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"]);
/** `12.3 ms`, `1.23 s`. */
export const duration = (ms: number): string =>
  ms < 1000 ? `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A table without vertical lines; numbers go right. */
export function table(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): string {
  const t = new Table({
    head: columns.map((c) => c.title),
    colAligns: columns.map((c) => c.align ?? "left"),
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 2 },
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      right: "",
      "right-mid": "",
      mid: "",
      "mid-mid": "",
      middle: "",
    },
  });
  t.push(...rows.map((r) => r.map(String)));
  return `${t.toString().replaceAll(/ +$/gm, "")}\n`;
}
