/** `npm run compile graphs/<program>.ts`: from a graph file to a build folder. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import type { Manifest } from "../codegen/manifest.ts";
import { command, main, type Output } from "./support/command.ts";
import type { CompileOptions } from "./support/compile-program.ts";
import { quoted } from "./support/npm.ts";
import { whole } from "./support/options.ts";
import { progress } from "./support/progress.ts";

interface Options extends Omit<CompileOptions, "onStep"> {
  readonly dump?: boolean;
}

const definition = command(
  "compile <graph> -- [options]",
  "Compiles a graph file: runs its passes, generates code, writes a build folder.",
  [
    "compile graphs/gpt2-fa2-kv.ts -- --weights path/to/gpt2 --precision f16",
    "compile graphs/gpt2-fa2-kv.ts -- --config tiny --check --dump",
  ],
)
  .argument("<graph>", "graph file, such as graphs/gpt2-fa2-kv.ts")
  .option("--weights <path>", "a .safetensors file or Hugging Face folder; without it weights are made up")
  .option("--config <name>", "the model's configuration (default: the checkpoint's, or the model's first)")
  .addOption(new Option("--precision <type>", "of the weights as stored").choices(["f32", "f16"]).default("f32"))
  .addOption(
    new Option("--target <name>", "machine to compile for")
      .choices(["reference", "x-elite", "phoenix"])
      .default("reference"),
  )
  .option("--seed <n>", "seed of made-up weights", whole(0), 0)
  .option("--out <folder>", "build folder (default: build/<program>)")
  .option("--dump", "print the graph before the first pass, and what every pass changed")
  .option("--check", "prove every pass: evaluate the graph before and after it on random data");

async function run([file]: readonly string[], { dump, ...options }: Options, output: Output): Promise<unknown> {
  const { compileProgram } = await import("./support/compile-program.ts");
  const text = await import("./support/compile-text.ts");
  const line = progress(!output.json && process.stderr.isTTY === true);
  const compiled = await compileProgram(file!, { ...options, onStep: line.step }).finally(line.done);
  const { manifest, out, passes } = compiled;
  await writeReport(compiled);

  output.print(`${manifest.program}: ${compiled.model}, ${manifest.precision} weights, for ${manifest.target}\n`);
  if (options.weights === undefined)
    output.print(
      `weights are made up (${manifest.weights.source}) because no --weights was given: generated text will be noise\n`,
    );
  if (dump) output.print(`\n${(await import("./support/dump-text.ts")).dumpText(compiled.dumps)}`);
  output.print(`\n${text.passTable(passes)}`);
  output.print(text.missText(passes));
  output.print(`\n${text.entryTable(compiled)}\n${text.artifactTable(out)}\n${text.timeLine(compiled)}\n`);
  output.print(`${next(compiled.out, manifest, manifest.tokenizer !== null)}\n`);
  const records = passes.map(({ text: _, ...record }) => record);
  const artifacts = text.artifactsOf(out);
  return {
    out,
    model: compiled.model,
    times: compiled.times,
    weightsReused: compiled.weightsReused,
    manifest,
    passes: records,
    artifacts,
  };
}

/** What can be done with the build on this machine. */
function next(out: string, { target, precision }: Manifest, speaks: boolean): string {
  const prompt = speaks ? "In the beginning" : "any text";
  const generate = `npm run generate -- ${quoted(out)} --prompt "${prompt}"`;
  if (target === "reference") return `next: ${generate}`;
  const backend = precision === "f16" ? "htp" : "qnn-cpu";
  return `next: ${generate} --backend ${backend}, with Qualcomm's libraries (npm run setup:qualcomm)`;
}

/** The page is written last, because it lists everything else. */
async function writeReport(
  compiled: Awaited<ReturnType<typeof import("./support/compile-program.ts").compileProgram>>,
) {
  const [{ reportHtml }, { reportEntry }, text] = await Promise.all([
    import("./report/html.ts"),
    import("./report/costs.ts"),
    import("./support/compile-text.ts"),
  ]);
  const { manifest, out, model, passes, dumps } = compiled;
  const html = reportHtml({
    program: manifest.program,
    model,
    target: manifest.target,
    precision: `${manifest.precision} weights`,
    weights: manifest.weights.source,
    passes: passes.map((p) => {
      const { name, doc, nodesBefore, nodesAfter, ms } = p;
      const proof = text.proofText(p);
      const words = { misses: p.misses.map(text.missLine), ...(proof !== undefined && { proof }) };
      return { name, doc, nodesBefore, nodesAfter, ms, hits: text.hitsOf(p), ...words };
    }),
    dumps,
    entries: manifest.entries.map((entry, i) => reportEntry(compiled.entries[i]!, entry)),
    artifacts: text.artifactsOf(out),
  });
  const path = join(out, "report.html");
  writeFileSync(`${path}.tmp`, html);
  renameSync(`${path}.tmp`, path);
}

await main(definition, run);
