/** The loop of text generation: run, choose, append, until a token says stop. */
import { HeddleError } from "../ir/error.ts";
import { createSampler, type SamplerOptions } from "./sampler.ts";
import type { Session } from "./session.ts";
import { streamText } from "./tokenizer.ts";

export interface GenerateOptions extends SamplerOptions {
  /** Most tokens to make; default 64. */
  readonly maxTokens?: number;
  /** Tokens that end the text; default those of the model. They are not part of the result. */
  readonly stop?: readonly number[];
  /** Ends the generation before its next token. */
  readonly signal?: AbortSignal;
}

export interface Generated {
  readonly token: number;
  /** The text that became complete with this token; empty inside a character. */
  readonly text: string;
}

/** @throws HeddleError for an empty or too long prompt, an option outside its range, and when the context is full and must not slide. */
export async function* generate(
  session: Session,
  prompt: string | readonly number[],
  { maxTokens = 64, stop = session.build.manifest.model.eos ?? [], signal, ...sampling }: GenerateOptions,
): AsyncGenerator<Generated, void, void> {
  if (!(maxTokens >= 0) || (Number.isFinite(maxTokens) && !Number.isInteger(maxTokens)))
    throw new HeddleError(`maxTokens must be a whole number, 0 or more, not ${maxTokens}`);
  const sample = createSampler(sampling);
  const tokens = typeof prompt === "string" ? session.tokenizer.encode(prompt) : prompt;
  const stream = streamText(session.tokenizer, tokens);
  const ends = new Set(stop);
  if (signal?.aborted) return;
  let logits = await session.prefill(tokens);
  for (let made = 1; made <= maxTokens && !signal?.aborted; made++) {
    const token = sample(logits, session.tokens);
    const last = made === maxTokens;
    if (ends.has(token)) break;
    const text = stream.push(token);
    yield { token, text: last ? text + stream.end() : text };
    if (!last) logits = await session.decode(token);
  }
}
