/** Benchmark records: one row per number, never without its source and the machine that it was taken on. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

export interface Row {
  readonly suite: string;
  /** The program, or the peer or bound it is compared with. */
  readonly program: string;
  readonly precision: string;
  /** Tokens in the context; 0 where it has no meaning. */
  readonly context: number;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly source: "measured" | "vendor-simulated" | "modelled";
  readonly device: string;
  /** The commit that was measured. */
  readonly version: string;
}

/** This machine in words: processor, cores and memory. */
export function device(): string {
  const cores = cpus();
  return `${cores[0]?.model.trim() ?? process.arch}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}

export function version(): string {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    const dirty = git("status", "--porcelain", "--", "src", "graphs", "bench/*.ts").length > 0;
    return git("rev-parse", "--short", "HEAD") + (dirty ? "+changes" : "");
  } catch {
    return "unknown";
  }
}

export const resultsFile = "bench/results.json";

export const readRows = (): Row[] => (existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")) : []);

/** Replaces the rows of a suite and leaves the others; written whole or not at all. */
export function writeRows(suite: string, rows: readonly Row[]): void {
  const all = [...readRows().filter((r) => r.suite !== suite), ...rows];
  const text = `[\n${all.map((r) => `  ${JSON.stringify(r)}`).join(",\n")}\n]\n`;
  writeWhole(resultsFile, text);
}

/** Replaces the rows of the programs that were measured, and leaves the suite's others. */
export function updateRows(suite: string, rows: readonly Row[]): void {
  const measured = new Set(rows.map((r) => `${r.program} ${r.precision}`));
  const others = readRows().filter((r) => r.suite === suite && !measured.has(`${r.program} ${r.precision}`));
  writeRows(suite, [...others, ...rows]);
}

export function writeWhole(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

export const median = (xs: readonly number[]): number => {
  const sorted = [...xs].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 ? sorted[mid]! : (sorted[mid - 1]! + sorted[mid]!) / 2;
};
