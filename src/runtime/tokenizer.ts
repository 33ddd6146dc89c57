/** Text to tokens and back, and whole characters from tokens that come one by one. */
import { readFileSync } from "node:fs";
import { HeddleError } from "../ir/error.ts";
import { HuggingFaceTokenizer } from "./hugging-face.ts";
import type { Span } from "./literal.ts";
import { SentencePiece } from "./sentencepiece.ts";

export interface Tokenizer {
  /** A text from its start on, with what the model expects in front of it, such as Gemma's `<bos>`. */
  encode(text: string): number[];
  /**
   * The text alone: a part of one, or a prompt that a chat template wrote, which has everything in it.
   * @param literal where the text of a control token is only text.
   */
  encodePart(text: string, literal?: readonly Span[]): number[];
  /** Where control tokens stand in a text, in order. */
  controls(text: string): Span[];
  decode(tokens: readonly number[]): string;
}

/** Turns tokens that come one by one into text. */
export interface TextStream {
  /** The text that this token completes; empty while the bytes of a character are still missing. */
  push(token: number): string;
  /** What is left; bytes that no token completed come as U+FFFD. */
  end(): string;
}

/** A tokenizer.json, or a vocabulary.json (sentencepiece.ts). @throws HeddleError where the file cannot be read or is neither. */
export const loadTokenizer = (path: string): Tokenizer => parseTokenizer(() => readFileSync(path), path);

/** A tokenizer from the content of such a file. @throws HeddleError about `subject` where it is none. */
export function parseTokenizer(content: () => string | Uint8Array, subject = "tokenizer.json"): Tokenizer {
  try {
    const text = content();
    const json = JSON.parse(typeof text === "string" ? text : new TextDecoder().decode(text));
    return json.format === "heddle.vocabulary/1" ? new SentencePiece(json) : new HuggingFaceTokenizer(json);
  } catch (e) {
    throw new HeddleError(`is not a tokenizer that can be read: ${(e as Error).message}`, {
      subject,
      hint: "use the tokenizer.json that belongs to the checkpoint",
    });
  }
}

/** For a model without a tokenizer: text goes in as its UTF-8 bytes, tokens come out as numbers. */
export const byteTokenizer: Tokenizer = {
  encode: (text) => [...new TextEncoder().encode(text)],
  encodePart: (text) => [...new TextEncoder().encode(text)],
  controls: () => [],
  decode: (tokens) => tokens.map((t) => `${t} `).join(""),
};

/** Of a prompt, what the first token of its continuation is decoded with. */
const contextTokens = 8;

/**
 * Decodes with the tokens of the last emitted text in front, because a decoder may treat the start of a text differently
 * (a leading space dropped, say). A result that ends in U+FFFD is an unfinished character and waits for more.
 * @param before the tokens of the text that goes on here.
 */
export function streamText(tokenizer: Pick<Tokenizer, "decode">, before: readonly number[] = []): TextStream {
  let context = before.slice(-contextTokens);
  // Half a character is no context: what completes it would look like a part of it.
  if (tokenizer.decode(context).endsWith("\ufffd")) context = [];
  let pending: number[] = [];
  const fresh = () => tokenizer.decode([...context, ...pending]).slice(tokenizer.decode(context).length);
  return {
    push: (token) => {
      pending.push(token);
      const text = fresh();
      if (text === "" || text.endsWith("\ufffd")) return "";
      [context, pending] = [pending, []];
      return text;
    },
    end: () => (pending.length > 0 ? fresh() : ""),
  };
}
