/** `npm run generate -- build/<program> --prompt "..."`: streams text from a compiled program. */
import { readFileSync } from "node:fs";
import { Option } from "commander";
import { HeddleError } from "../ir/error.ts";
import { type Residency, residencies } from "../runtime/chained-graphs.ts";
import { type ExecutionName, executionNames } from "../runtime/execution.ts";
import { Session } from "../runtime/session.ts";
import { command, exitCodes, main, type Output } from "./support/command.ts";
import { real, whole } from "./support/options.ts";
import { Said } from "./support/said.ts";
import { endsText, samplingText } from "./support/sampling-text.ts";
import { showStats } from "./support/stats.ts";
import { utf8 } from "./support/utf8.ts";

interface Options {
  readonly prompt?: string;
  readonly chat?: boolean;
  readonly chatTemplate?: string;
  readonly system?: string;
  readonly tokens?: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
  readonly seed: number;
  readonly ignoreEos?: boolean;
  readonly backend?: ExecutionName;
  readonly threads?: number;
  readonly parts?: Residency;
  readonly overflow: "error" | "slide";
  readonly stats?: boolean;
}

/** As many as the reference backend takes. */
const mostThreads = 1024;

const definition = command(
  "generate -- <build> [options]",
  "Continues a prompt with a compiled program, or converses, and streams the text.",
  [
    'generate -- build/gpt2-fa2-kv -p "In the beginning" -n 96 --stats',
    "generate -- build/gpt2-fa2-kv < prompt.txt",
    "generate -- build/gemma3-270m --chat",
  ],
)
  .argument("<build>", "folder that compile wrote, such as build/gpt2-fa2-kv")
  .option(
    "-p, --prompt <text>",
    "text to continue, or - for stdin (default: what comes on stdin); of a chat, the first turn",
  )
  .option("-n, --tokens <n>", "number of tokens to make at most (default: 64; in a chat 1024 a turn)", whole(1))
  .option("--chat", "converse: on a terminal, or a turn for each line of stdin")
  .option("--system <text>", "what the model is told before the first turn of a chat")
  .option("--chat-template <file>", "a Jinja template in place of the model's own")
  .option(
    "--temperature <t>",
    "0 takes the most likely token, 1 samples as the model says (default: the model's, or 0)",
    real(0),
  )
  .option("--top-k <k>", "sample among the k most likely tokens; 0 for all (default: the model's, or 0)", whole(0))
  .option(
    "--top-p <p>",
    "sample among the most likely tokens that reach this probability (default: the model's, or 1)",
    real(0, 1),
  )
  .option(
    "--repetition-penalty <x>",
    "above 1 makes tokens less likely that were used before (default: the model's, or 1)",
    real(0),
  )
  .option("--seed <n>", "seed of the random choice of tokens", whole(0), 0)
  .option("--ignore-eos", "do not stop at an end-of-text token")
  .addOption(
    new Option(
      "--backend <name>",
      "what executes (default: what the build is for: reference, or aie-sim for an AIE array)",
    ).choices(executionNames),
  )
  .option("--threads <n>", "threads of the reference backend (default: one per core)", whole(1, mostThreads))
  .addOption(
    new Option("--parts <how>", "of a program in parts: in memory together (default), or loaded in turn").choices(
      residencies,
    ),
  )
  .addOption(
    new Option("--overflow <what>", "what to do when the context is full").choices(["error", "slide"]).default("error"),
  )
  .option("--stats", "print cache memory, append time, work saved and speed");

async function run([folder]: readonly string[], options: Options, output: Output): Promise<unknown> {
  const ofChat = (["system", "chatTemplate"] as const).find((name) => options[name] !== undefined);
  if (ofChat && !options.chat)
    throw new HeddleError("has a meaning in a chat only", {
      subject: ofChat === "system" ? "--system" : "--chat-template",
      hint: "--chat with it, or leave it out",
    });
  const prompt = options.chat ? options.prompt : await promptOf(options.prompt);
  const template = options.chatTemplate === undefined ? undefined : readFileSync(options.chatTemplate, "utf8");
  const { backend, threads, parts, overflow } = options;
  const said = new Said(output);
  const session = await Session.load(folder!, {
    onStep: said.step,
    ...{ overflow, profile: options.stats === true },
    ...(backend !== undefined && { backend }),
    ...(threads !== undefined && { threads }),
    ...(parts !== undefined && { residency: parts }),
  });
  try {
    const { manifest } = session.build;
    if (manifest.tokenizer === null && !options.chat)
      output.note("no tokenizer: the prompt goes in as bytes, tokens come out as numbers");
    if (manifest.weights.source.startsWith("seeded:"))
      output.note(`weights are made up (${manifest.weights.source}): the text is noise`);
    if (manifest.sampling)
      output.note(
        `${samplingText({ ...manifest.sampling, ...given(options) }, options.seed)}; ${endsText(manifest.model.eos)}`,
      );
    const result = options.chat
      ? await chat(session, prompt, template, options, said.output)
      : await complete(session, prompt!, options, said);
    const stats = session.stats();
    if (options.stats) output.note(`\n${showStats(stats)}`);
    return { program: manifest.program, ...result, stats };
  } finally {
    session.close();
  }
}

/** What the command line says, else what the model's authors do, else the most likely token. */
function sampling({ build }: Session, options: Options, most: number) {
  const { tokens, seed, ignoreEos } = options;
  const chosen = { ...build.manifest.sampling, ...given(options) };
  return { maxTokens: tokens ?? most, ...chosen, seed, ...(ignoreEos && { stop: [] }) };
}

const given = ({ temperature, topK, topP, repetitionPenalty }: Options) => ({
  ...(temperature !== undefined && { temperature }),
  ...(topK !== undefined && { topK }),
  ...(topP !== undefined && { topP }),
  ...(repetitionPenalty !== undefined && { repetitionPenalty }),
});

/** Continues a text. */
async function complete(session: Session, prompt: string, options: Options, said: Said) {
  const { output } = said;
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const promptTokens = session.tokenizer.encode(prompt);
  // On a simulator a token can take a minute.
  const read = said.wait(
    () => `reading the prompt, ${session.stats().computedTokens} of ${promptTokens.length} tokens`,
  );
  const tokens: number[] = [];
  let text = "";
  let begun = false;
  const begin = () => {
    begun = true;
    read();
    output.print(session.build.manifest.tokenizer === null ? "" : prompt);
  };
  try {
    for await (const piece of session.generate(promptTokens, {
      ...sampling(session, options, 64),
      signal: interrupted.signal,
    })) {
      if (tokens.length === 0) begin();
      tokens.push(piece.token);
      text += piece.text;
      output.print(piece.text);
    }
    if (tokens.length === 0) begin();
  } finally {
    read();
    // What went wrong in the middle of a text is said on a line of its own.
    if (begun) output.print("\n");
  }
  if (interrupted.signal.aborted) process.exitCode = exitCodes.interrupted;
  return { prompt, text, tokens };
}

/** Answers turn by turn. */
async function chat(
  session: Session,
  first: string | undefined,
  template: string | undefined,
  options: Options,
  output: Output,
) {
  const [{ Conversation }, { converse }] = await Promise.all([
    import("../runtime/conversation.ts"),
    import("./support/chat.ts"),
  ]);
  const { system } = options;
  const conversation = new Conversation(session, {
    ...(template !== undefined && { template }),
    ...(system !== undefined && { system }),
  });
  const { turns, interrupted } = await converse(conversation, first, sampling(session, options, 1024), output);
  if (interrupted) process.exitCode = exitCodes.interrupted;
  return { turns };
}

/** The prompt that was given, or all of stdin, without the newline that ends it. */
async function promptOf(given: string | undefined): Promise<string> {
  if (given !== undefined && given !== "-") return given;
  if (given === undefined && process.stdin.isTTY)
    throw new HeddleError("there is no prompt", { hint: '--prompt "In the beginning", or text on stdin' });
  const pieces: Uint8Array[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return utf8(Buffer.concat(pieces), "the prompt on stdin").replace(/\r?\n$/, "");
}

await main(definition, run);
