/** What a program's folder has besides graphs and weights, and what its manifest says of the program as a whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelInfo } from "../ir/program.ts";
import type { ChatFormat } from "../weights/chat-format.ts";
import type { TokenizerFile } from "../weights/checkpoint.ts";
import type { Sampling } from "../weights/sampling.ts";
import type { Manifest } from "./manifest.ts";
import type { Precision } from "./precision.ts";

/** A program as a whole, whatever its graphs are. */
export interface ProgramDescription {
  /** The program's name. */
  readonly program: string;
  readonly info: ModelInfo;
  /** Tokens that end a text. */
  readonly eos?: readonly number[];
  /** `reference`, `x-elite`, `phoenix` or `strix`. */
  readonly target: string;
  readonly precision: Precision;
  /** Inputs that share a scale in weights of 4 bits. */
  readonly blockSize?: number;
  /** The tokenizer's file to put into the folder. */
  readonly tokenizer?: TokenizerFile;
  /** How to converse with the model: a template in Jinja, and the tokens that it names. */
  readonly chat?: ChatFormat;
  /** How its authors sample from it. */
  readonly sampling?: Sampling;
  /** Names of the passes that ran, in order. */
  readonly passes: readonly string[];
}

const chatTemplateFile = "chat_template.jinja";

/** Writes tokenizer and chat template. Returns the fields of the manifest that do not depend on how the program is stored. */
export function writeProgram(
  folder: string,
  { program, info, eos, target, precision, blockSize, tokenizer, chat, sampling, passes }: ProgramDescription,
): Omit<Manifest, "format" | "weights" | "entries"> {
  if (tokenizer) writeFileSync(join(folder, tokenizer.name), tokenizer.content());
  if (chat) writeFileSync(join(folder, chatTemplateFile), chat.template);
  return {
    program,
    target,
    precision,
    ...(blockSize && { blockSize }),
    model: { ...info, ...(eos && { eos }) },
    tokenizer: tokenizer?.name ?? null,
    ...(chat && { chat: { ...chat, template: chatTemplateFile } }),
    ...(sampling && { sampling }),
    passes,
  };
}
