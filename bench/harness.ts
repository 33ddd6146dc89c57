/** What benchmark suites share: builds to measure, children to measure them in, rows to write down. */
import { spawn } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import type { Manifest } from "../src/codegen/manifest.ts";
import type { Precision } from "../src/codegen/precision.ts";
import { device, type Row, version } from "./record.ts";
import type { Task } from "./worker.ts";

export interface SuiteContext {
  /** A row of this suite, on this machine, at this version. */
  row(figures: Omit<Row, "suite" | "device" | "version">): Row;
  /** Progress, on stderr. */
  say(text: string): void;
  /** Whether a program was asked for. */
  only(program: string): boolean;
}

export function suiteContext(suite: string, filter: readonly string[]): SuiteContext {
  const [machine, commit] = [device(), version()];
  return {
    row: (figures) => ({
      suite,
      ...figures,
      value: Number(figures.value.toPrecision(5)),
      device: machine,
      version: commit,
    }),
    say: (text) => process.stderr.write(`${text}\n`),
    only: (program) => filter.length === 0 || filter.includes(program),
  };
}

/** Runs a node program and returns what it printed. @throws Error with its stderr where it fails. */
export function node(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (d) => (out += d));
    child.stderr.on("data", (d) => (err += d));
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(new Error(`${args.join(" ")}\n${err}${out}`))));
  });
}

export const inChild = async <T>(task: Task): Promise<T> =>
  JSON.parse(await node("bench/worker.ts", JSON.stringify(task))) as T;

const folder = ".cache/bench";

export interface Build {
  readonly out: string;
  readonly manifest: Manifest;
}

export async function compileTo(program: string, precision: Precision, ...more: string[]): Promise<Build> {
  const out = [`${folder}/${program}`, precision, ...more.filter((word) => !word.startsWith("-"))].join("-");
  const text = await node(
    "src/cli/compile.ts",
    `graphs/${program}.ts`,
    "--out",
    out,
    "--precision",
    precision,
    "--json",
    ...more,
  );
  return { out, manifest: (JSON.parse(text) as { manifest: Manifest }).manifest };
}

export interface Exported {
  readonly file: string;
  readonly vocab: number;
  /** Tokens of one run. */
  readonly rows: number;
  /** Of the file, nearly all of them weights. */
  readonly bytes: number;
}

/** An entry point as an ONNX model, written once per session of benchmarks. */
export async function exportOnnx(program: string, entry: string, target = "reference"): Promise<Exported> {
  const file = `${folder}/${program}-${entry}.onnx`;
  mkdirSync(folder, { recursive: true });
  const text = await node(
    "src/cli/export.ts",
    `graphs/${program}.ts`,
    "--entry",
    entry,
    "--target",
    target,
    "--out",
    file,
    "--json",
  );
  const result = JSON.parse(text) as { vocab: number; entry: { bind: Readonly<Record<string, number>> } };
  return { file, vocab: result.vocab, rows: result.entry.bind.T!, bytes: statSync(file).size };
}
