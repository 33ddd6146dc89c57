/** `npm run generate -- build/<program> --prompt "..."`: streams text from a compiled program. */
import { readFileSync } from "node:fs";
import { Option } from "commander";
import { HeddleError } from "../ir/error.ts";
import { type ExecutionName, executionNames } from "../runtime/execution.ts";
import { Session } from "../runtime/session.ts";
import { command, exitCodes, main, type Output } from "./support/command.ts";
import { real, whole } from "./support/options.ts";
import { progress } from "./support/progress.ts";
import { showStats } from "./support/stats.ts";

interface Options {
  readonly prompt?: string;
  readonly tokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
  readonly ignoreEos?: boolean;
  readonly backend?: ExecutionName;
  readonly threads?: number;
  readonly overflow: "error" | "slide";
  readonly stats?: boolean;
}

const definition = command(
  "generate -- <build> [options]",
  "Continues a prompt with a compiled program and streams the text.",
  ['generate -- build/gpt2-fa2-kv -p "In the beginning" -n 96 --stats', "generate -- build/gpt2-fa2-kv < prompt.txt"],
)
  .argument("<build>", "folder that compile wrote, such as build/gpt2-fa2-kv")
  .option("-p, --prompt <text>", "text to continue (default: what comes on stdin)")
  .option("-n, --tokens <n>", "number of tokens to make at most", whole(1), 64)
  .option("--temperature <t>", "0 takes the most likely token, 1 samples as the model says", real(0), 0)
  .option("--top-k <k>", "sample among the k most likely tokens; 0 for all", whole(0), 0)
  .option("--top-p <p>", "sample among the most likely tokens that reach this probability", real(0, 1), 1)
  .option("--repetition-penalty <x>", "above 1 makes tokens less likely that were used before", real(0), 1)
  .option("--seed <n>", "seed of the random choice of tokens", whole(0), 0)
  .option("--ignore-eos", "do not stop at an end-of-text token")
  .addOption(
    new Option(
      "--backend <name>",
      "what executes (default: what the build is for: reference, or aie-sim for an AIE array)",
    ).choices(executionNames),
  )
  .option("--threads <n>", "threads of the reference backend (default: one per core)", whole(1))
  .addOption(
    new Option("--overflow <what>", "what to do when the context is full").choices(["error", "slide"]).default("error"),
  )
  .option("--stats", "print cache memory, append time, work saved and speed");

async function run([folder]: readonly string[], options: Options, output: Output): Promise<unknown> {
  const prompt = options.prompt ?? readPrompt();
  const { backend, threads, overflow } = options;
  const session = await Session.load(folder!, {
    ...{ overflow, profile: options.stats === true },
    ...(backend !== undefined && { backend }),
    ...(threads !== undefined && { threads }),
  });
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  try {
    const { manifest } = session.build;
    if (manifest.tokenizer === null)
      output.note("no tokenizer: the prompt goes in as bytes, tokens come out as numbers");
    if (manifest.weights.source.startsWith("seeded:"))
      output.note(`weights are made up (${manifest.weights.source}): the text is noise`);
    const waiting = progress(!output.json && process.stderr.isTTY === true);
    waiting.step("reading the prompt");
    const tokens: number[] = [];
    let text = "";
    const { topK, topP, temperature, seed, repetitionPenalty } = options;
    for await (const piece of session.generate(prompt, {
      maxTokens: options.tokens,
      ...{ topK, topP, temperature, seed, repetitionPenalty },
      ...(options.ignoreEos && { stop: [] }),
      signal: interrupted.signal,
    })) {
      if (tokens.length === 0) {
        waiting.done();
        output.print(manifest.tokenizer === null ? "" : prompt);
      }
      tokens.push(piece.token);
      text += piece.text;
      output.print(piece.text);
    }
    output.print("\n");
    if (interrupted.signal.aborted) process.exitCode = exitCodes.interrupted;
    const stats = session.stats();
    if (options.stats) output.note(`\n${showStats(stats)}`);
    return { program: manifest.program, prompt, text, tokens, stats };
  } finally {
    session.close();
  }
}

/** All of stdin, without the newline that ends it. */
function readPrompt(): string {
  if (process.stdin.isTTY)
    throw new HeddleError("there is no prompt", { hint: '--prompt "In the beginning", or text on stdin' });
  return readFileSync(0, "utf8").replace(/\r?\n$/, "");
}

await main(definition, run);
