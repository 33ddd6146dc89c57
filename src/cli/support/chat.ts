/** A conversation on the terminal, or line by line from a pipe. */
import { createInterface } from "node:readline/promises";
import type { Conversation } from "../../runtime/conversation.ts";
import type { GenerateOptions } from "../../runtime/generate.ts";
import type { Output } from "./command.ts";

/** One turn as `--json` reports it. */
export interface Turn {
  readonly user: string;
  readonly assistant: string;
  readonly tokens: readonly number[];
}

const mark = "> ";

/**
 * Sends `first` if there is one, then what comes on stdin, one turn a line. On a terminal Ctrl-C ends an answer, or the
 * conversation where none is being given; from a pipe it ends all.
 * @returns the turns, and whether it was interrupted.
 */
export async function converse(
  conversation: Conversation,
  first: string | undefined,
  options: GenerateOptions,
  output: Output,
): Promise<{ turns: readonly Turn[]; interrupted: boolean }> {
  const terminal = process.stdin.isTTY === true && !output.json;
  const turns: Turn[] = [];
  let answering: AbortController | undefined;
  let interrupted = false;
  const lines = first !== undefined && !terminal ? undefined : openLines(terminal);
  const stop = () => {
    interrupted ||= !terminal;
    if (answering) answering.abort();
    else lines?.close();
  };
  process.on("SIGINT", stop);
  lines?.on("SIGINT", stop);
  try {
    for await (const user of said(first, lines, terminal)) {
      // On a terminal the user's own typing is there already.
      if (!terminal || user === first) output.print(`${mark}${user}\n`);
      answering = new AbortController();
      turns.push(await answer(conversation, user, { ...options, signal: answering.signal }, output));
      answering = undefined;
      if (interrupted) break;
    }
    return { turns, interrupted };
  } finally {
    process.off("SIGINT", stop);
    lines?.close();
  }
}

type Lines = ReturnType<typeof createInterface>;
const openLines = (terminal: boolean): Lines =>
  createInterface({ input: process.stdin, ...(terminal && { output: process.stderr, prompt: mark }), terminal });

/** The turns of the user; lines that are empty are none. */
async function* said(first: string | undefined, lines: Lines | undefined, terminal: boolean): AsyncGenerator<string> {
  if (first !== undefined) yield first;
  if (!lines) return;
  if (terminal) lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") yield line;
    if (terminal) lines.prompt();
  }
}

async function answer(
  conversation: Conversation,
  user: string,
  options: GenerateOptions,
  output: Output,
): Promise<Turn> {
  const tokens: number[] = [];
  let assistant = "";
  for await (const { token, text } of conversation.send(user, options)) {
    tokens.push(token);
    assistant += text;
    output.print(text);
  }
  output.print(assistant.endsWith("\n") ? "" : "\n");
  return { user, assistant, tokens };
}
