/** `npm run compile graphs/<program>.ts`: from a graph file to a build folder. */
import { Option } from "commander";
import { precisions } from "../codegen/precision.ts";
import { calibrationMethods } from "./support/calibration/calibration.ts";
import { command, main, type Output } from "./support/command.ts";
import type { Compiled, CompileOptions } from "./support/compile-program.ts";
import { contextList } from "./support/contexts.ts";
import { quoted } from "./support/npm.ts";
import { blockSizeOption, layerRange, real, targetOption, whole } from "./support/options.ts";
import { type Progress, progress } from "./support/progress.ts";
import { heads, kvTypes, type QuantizeRequest, quantizeRequest } from "./support/quantize-request.ts";

interface Options extends Omit<CompileOptions, "onStep" | "quantize">, QuantizeRequest {
  readonly target: string;
  readonly dump?: boolean;
  readonly dryRun?: boolean;
  readonly goal: number;
}

const definition = command(
  "compile <graph> -- [options]",
  "Compiles a graph file: runs its passes, generates code, writes a build folder.",
  [
    "compile graphs/gpt2-fa2-kv.ts -- --weights path/to/gpt2 --precision f16",
    "compile graphs/gemma3-270m.ts -- --weights .gemma",
    "compile graphs/gpt2-fa2-kv.ts -- --config tiny --dry-run --check --dump",
  ],
)
  .argument("<graph>", "graph file, such as graphs/gpt2-fa2-kv.ts")
  .option("--weights <path>", "a .safetensors or .gguf file, or a Hugging Face folder; without it weights are made up")
  .option("--config <name>", "the model's configuration (default: the checkpoint's, or the model's first)")
  .addOption(
    new Option(
      "--precision <type>",
      "of weights; w8a16, w4a16, w8a8 and w4a8 quantise, activations to 16 or 8 bits; native keeps the blocks of a .gguf (default: native for .gguf on reference, on x-elite f16 if its range holds the model, else w8a16; else f32)",
    ).choices(precisions),
  )
  .addOption(new Option("--head <type>", "weights of the last linear, when quantising").choices(heads))
  .addOption(blockSizeOption())
  .addOption(
    new Option(
      "--kv <type>",
      "of keys and values in caches, when quantising; k8v16 is 8 bits for keys, 16 for values (default: for x-elite k8v16 where heads share keys, else i8; else float)",
    ).choices(kvTypes),
  )
  .option(
    "--calibration <file>",
    "texts to calibrate on, a form feed between them, or the calibration.json of an earlier build",
  )
  .addOption(new Option("--method <name>", "how ranges of activations are chosen").choices(calibrationMethods))
  .option(
    "--budget <percent>",
    "by which weights may grow, to give the layers that suffer most more bits",
    real(0, 100),
  )
  .addOption(targetOption("machine to compile for"))
  .option("--no-context", "x-elite: write the graphs as JSON and do not run Qualcomm's compiler")
  .option("--no-simulate", "x-elite: skip the second compilation, which finds the simulated times")
  .option("--no-cache", "x-elite: compile in any case, and keep nothing for the next time")
  .option("--layers <range>", "only these layers of the model, such as 7 or 6-11", layerRange)
  .option(
    "--parts <n>",
    "cut the program into so many parts, which run one after the other (default: as an NPU needs)",
    whole(1),
  )
  .option(
    "--contexts <sizes>",
    "sizes of caches, such as 256 or 512,32768 (default: those up to 2048 that suit the model)",
    contextList,
  )
  .option("--goal <n>", "tokens/s for which a dry run reckons streams and drafts", real(0), 81)
  .option("--seed <n>", "seed of made-up weights", whole(0), 0)
  .option("--out <folder>", "build folder (default: build/<program>)")
  .option("--dump", "print the graph before the first pass, and what every pass changed")
  .option("--check", "prove every pass: evaluate the graph before and after it on random data")
  .option("--dry-run", "run the passes and stop: needs no weights, writes nothing");

async function run([file]: readonly string[], options: Options, output: Output): Promise<unknown> {
  const text = await import("./support/compile-text.ts");
  const line = progress(!output.json);
  const { lowered, compiled } = await compile(file!, options, line, (note) => {
    line.done();
    output.note(note);
  });
  const { model, program, passes, dumps } = lowered;
  output.print(`${program}: ${model}, ${lowered.precision} weights, for ${options.target}\n`);
  if (lowered.reason) output.print(`${lowered.reason}\n`);
  const madeUp = compiled && options.weights === undefined && compiled.manifest.weights.source;
  if (madeUp)
    output.print(`weights are made up (${madeUp}), as no --weights was given: generated text will be noise\n`);
  if (options.dump) output.print(`\n${(await import("./support/dump-text.ts")).dumpText(dumps)}`);
  output.print(`\n${text.passTable(passes)}${text.missText(passes)}`);

  const quantization = lowered.quantization;
  if (quantization)
    output.print(`\n${(await import("./support/quantization-text.ts")).quantizationText(quantization)}`);

  if (lowered.halfRange)
    output.print(`\n${(await import("./support/half-range.ts")).halfRangeText(lowered.halfRange)}`);
  const records = passes.map(({ text: _, ...record }) => record);
  if (!compiled) {
    const { boundsText } = await import("./support/bounds-text.ts");
    const { bounds, decodeCost } = await import("./support/bounds.ts");
    const { module, unwritten } = lowered;
    const reckoned = boundsText(module, options.goal);
    output.print(`${reckoned && `\n${reckoned}`}\nnothing was written (${unwritten})\n`);
    const cost = decodeCost(module);
    return { program, model, passes: records, ...(cost && { cost, bounds: bounds(cost, options.goal) }) };
  }
  const { out, manifest, times, weightsReused, contextCached } = compiled;
  const { npuText, partsNpuText } = await import("./support/npu-text.ts");
  const npu = compiled.parts.length > 0 ? partsNpuText(manifest, compiled.parts) : npuText(manifest);
  output.print(`\n${text.entryTable(compiled)}\n${text.partTable(compiled)}${npu}${text.artifactTable(out)}\n`);
  const { sampling, model: info } = manifest;
  if (sampling || info.eos?.length) {
    const { samplingText, endsText } = await import("./support/sampling-text.ts");
    output.print(`by default generate ${samplingText(sampling ?? { temperature: 0 })}; ${endsText(info.eos)}\n`);
  }
  output.print(`${text.timeLine(compiled)}\n`);
  output.print(`${next(compiled)}\n`);
  return {
    out,
    model,
    times,
    weightsReused,
    contextCached,
    manifest,
    passes: records,
    artifacts: text.artifactsOf(out),
  };
}

/** With `--dry-run`, or without weights for a model that is too large to make up, only as far as the passes. */
async function compile(
  file: string,
  { dryRun, dump: _, goal: __, ...rest }: Options,
  line: Progress,
  onNote: (text: string) => void,
) {
  const { compileProgram, tooLargeToMakeUp } = await import("./support/compile-program.ts");
  const { lowerProgram } = await import("./support/lower-program.ts");
  const { head, calibration, method, budget, kv, blockSize, ...options } = rest;
  const request = { ...options, quantize: quantizeRequest(rest), onStep: line.step, onNote };
  try {
    const reason = dryRun ? "--dry-run" : await tooLargeToMakeUp(file, request);
    if (reason !== undefined)
      return await lowerProgram(file, { ...request, calibrates: false }, async (all) => {
        const { program, built, module, passes, dumps, precision, quantization, halfRange, reason: choice } = all;
        const model = `${program.model.name} (${built.config})`;
        const lowered = {
          program: program.name,
          model,
          module,
          passes,
          dumps,
          precision,
          quantization,
          halfRange,
          unwritten: reason,
          reason: choice,
        };
        return { lowered, compiled: undefined };
      });
    const compiled = await compileProgram(file, request);
    (await import("./report/write.ts")).writeReport(compiled);
    const { program, precision } = compiled.manifest;
    return { lowered: { ...compiled, program, precision }, compiled } as const;
  } finally {
    line.done();
  }
}

/** What can be done with the build on this machine. */
function next({ out, manifest, parts }: Compiled): string {
  const { target, precision, chat, entries, tokenizer } = manifest;
  const speaks = tokenizer !== null;
  const context = manifest.context ?? parts[0]?.manifest.context;
  if (entries.some((e) => [...e.inputs, ...e.outputs].some((p) => p.role === "hidden")))
    return "next: compile the layers before and after it; generate takes a whole model";
  const prompt = speaks ? "In the beginning" : "any text";
  const generate = `npm run generate -- ${quoted(out)} ${chat ? "--chat" : `--prompt "${prompt}"`}`;
  if (target !== "x-elite") return `next: ${generate}`;
  const backend = precision === "f32" ? "qnn-cpu" : "htp";
  if (context) return `next: ${generate} --backend htp, or take it to a Snapdragon: docs/qualcomm.md`;
  return `next: ${generate} --backend ${backend}, with Qualcomm's libraries (npm run setup:qualcomm)`;
}

await main(definition, run);
