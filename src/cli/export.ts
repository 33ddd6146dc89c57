/** `npm run export graphs/<program>.ts`: one entry point as an ONNX model, for Netron or for running it elsewhere. */
import { statSync } from "node:fs";
import { HeddleError } from "../ir/error.ts";
import { command, main, type Output } from "./support/command.ts";
import type { LowerOptions } from "./support/lower-program.ts";
import { oneOf, targetOption, whole } from "./support/options.ts";

interface Options extends Pick<LowerOptions, "weights" | "config" | "seed" | "target"> {
  readonly out?: string;
  readonly entry?: string;
}

const definition = command(
  "export <graph> -- [options]",
  "Writes one entry point of a program as an ONNX model, with its weights.",
  ["export graphs/gpt2-fa2-kv.ts -- --config tiny --entry decode-64"],
)
  .argument("<graph>", "graph file, such as graphs/gpt2-fa2-kv.ts")
  .option("--entry <name>", "entry point, such as decode-256 (default: the first)")
  .option("--weights <path>", "a .safetensors or .gguf file, or a Hugging Face folder; without it weights are made up")
  .option("--config <name>", "the model's configuration (default: the checkpoint's, or the model's first)")
  .addOption(targetOption("whose entry points and passes"))
  .option("--seed <n>", "seed of made-up weights", whole(0), 0)
  .option("--out <file>", "ONNX file to write (default: <program>-<entry>.onnx)");

/** A file is replaced as a whole: a folder or a device under its name must not be. */
function checkTarget(out: string): void {
  const there = statSync(out, { throwIfNoEntry: false });
  if (there && !there.isFile())
    throw new HeddleError("is not an ordinary file, so it is not replaced", {
      subject: out,
      hint: "name a file with --out",
    });
}

async function run([file]: readonly string[], options: Options, output: Output): Promise<unknown> {
  const [{ lowerProgram }, { bind }, { writeOnnx }] = await Promise.all([
    import("./support/lower-program.ts"),
    import("../ir/graph.ts"),
    import("../codegen/onnx/index.ts"),
  ]);
  return lowerProgram(file!, { ...options, precision: "f32" }, async ({ program, module, weights, built }) => {
    const entry = options.entry ? module.entries.find((e) => e.name === options.entry) : module.entries[0];
    if (!entry)
      throw new HeddleError(`has no entry point ${options.entry}`, {
        subject: `program ${program.name}`,
        hint: oneOf(
          options.entry!,
          module.entries.map((e) => e.name),
        ),
      });
    const out = options.out ?? `${program.name}-${entry.name}.onnx`;
    checkTarget(out);
    await writeOnnx(bind(module.graph, entry.bind, entry.name), weights, out);
    output.print(`${out}: ${entry.name} of ${program.name}, ${(statSync(out).size / 1e6).toFixed(1)} MB\n`);
    return { out, entry, vocab: built.info.vocab };
  });
}

await main(definition, run);
