/** `npm run bench -- --suite variants`: measures, writes bench/results.json and bench/RESULTS.md. */
import { readFileSync } from "node:fs";
import { Option } from "commander";
import { command, main, type Output } from "../src/cli/support/command.ts";
import { HeddleError } from "../src/ir/error.ts";
import type { SuiteContext } from "./harness.ts";
import { suiteContext } from "./harness.ts";
import { type Row, readRows, updateRows, writeRows, writeWhole } from "./record.ts";
import { renderReadme, renderResults } from "./render.ts";
import { aie } from "./suites/aie.ts";
import { aieTools } from "./suites/aie-tools.ts";
import { compileTime } from "./suites/compile.ts";
import { gemma } from "./suites/gemma.ts";
import { gemmaHtp } from "./suites/gemma-htp.ts";
import { htp } from "./suites/htp.ts";
import { htpCompile } from "./suites/htp-compile.ts";
import { variants } from "./suites/variants.ts";

const suites: Readonly<Record<string, (context: SuiteContext) => Promise<Row[]>>> = {
  variants,
  htp,
  gemma,
  "gemma-htp": gemmaHtp,
  compile: compileTime,
  "htp-compile": htpCompile,
  aie,
  "aie-tools": aieTools,
};

const definition = command(
  "bench -- [options]",
  "Measures on this machine and keeps the record. Every number says where it comes from.",
  ["bench -- --suite variants", "bench -- --suite variants --only gpt2-fa2-kv", "bench -- --render"],
)
  .addOption(new Option("--suite <name...>", "what to measure (default: all)").choices(Object.keys(suites)))
  .option("--only <program...>", "only these programs; the record is printed, not kept")
  .option("--keep", "with --only: keep the record of these programs beside that of the others")
  .option("--render", "write RESULTS.md and the README's table from the record, measure nothing");

interface Options {
  readonly suite?: readonly string[];
  readonly only?: readonly string[];
  readonly keep?: boolean;
  readonly render?: boolean;
}

async function run(_: readonly string[], { suite, only, keep, render }: Options, output: Output): Promise<Row[]> {
  const all: Row[] = [];
  for (const name of render ? [] : (suite ?? Object.keys(suites))) {
    const rows = await suites[name]!(suiteContext(name, only ?? []));
    all.push(...rows);
    if (only && keep) updateRows(name, rows);
    else if (only) for (const r of rows) output.print(`${JSON.stringify(r)}\n`);
    else writeRows(name, rows);
  }
  if (only && !render && all.length === 0)
    throw new HeddleError(`no suite measured ${only.join(" or ")}`, {
      subject: "--only",
      hint: "the name of a program that the suite compiles, such as gpt2-fa2-kv",
    });
  if (!only || keep) {
    writeWhole("bench/RESULTS.md", renderResults(readRows()));
    writeWhole("README.md", renderReadme(readFileSync("README.md", "utf8"), readRows()));
    output.print("bench/results.json, bench/RESULTS.md and the table of README.md are written\n");
  }
  return all;
}

await main(definition, run);
