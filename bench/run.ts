/** `npm run bench -- --suite variants`: measures, writes bench/results.json and bench/RESULTS.md. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
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

const options = new Command("npm run bench --")
  .description("Measures on this machine and keeps the record. Every number says where it comes from.")
  .option("--suite <name...>", `what to measure: ${Object.keys(suites).join(", ")} (default: all)`)
  .option("--only <program...>", "only these programs; the record is printed, not kept")
  .option("--keep", "with --only: keep the record of these programs beside that of the others")
  .option("--render", "write RESULTS.md and the README's table from the record, measure nothing")
  .helpOption("-h, --help", "show this")
  .parse()
  .opts<{ suite?: string[]; only?: string[]; keep?: boolean; render?: boolean }>();

for (const name of options.render ? [] : (options.suite ?? Object.keys(suites))) {
  const suite = suites[name];
  if (!suite) {
    process.stderr.write(`there is no suite ${name}: one of ${Object.keys(suites).join(", ")}\n`);
    process.exit(2);
  }
  const rows = await suite(suiteContext(name, options.only ?? []));
  if (options.only && options.keep) updateRows(name, rows);
  else if (options.only) for (const r of rows) process.stdout.write(`${JSON.stringify(r)}\n`);
  else writeRows(name, rows);
}
if (!options.only || options.keep) {
  writeWhole("bench/RESULTS.md", renderResults(readRows()));
  writeWhole("README.md", renderReadme(readFileSync("README.md", "utf8"), readRows()));
  process.stdout.write("bench/results.json, bench/RESULTS.md and the table of README.md are written\n");
}
