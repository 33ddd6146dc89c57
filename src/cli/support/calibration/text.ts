/** What a model is calibrated on: texts of the user's, those that come with Heddle, or tokens at random. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { HeddleError } from "../../../ir/error.ts";
import { parseTokenizer } from "../../../runtime/tokenizer.ts";
import type { Checkpoint } from "../../../weights/checkpoint.ts";
import { utf8 } from "../utf8.ts";

export interface CalibrationTokens {
  /** What a report calls it. */
  readonly text: string;
  /** Sequences, each run from the first position. */
  readonly sequences: readonly (readonly number[])[];
}

const shipped = fileURLToPath(new URL("default.txt", import.meta.url));
/** A line with a form feed alone stands between texts that do not belong together. */
const between = /^\f\r?\n/m;
/** Enough for every text of the shipped file to begin a sequence, of 128 tokens each; more is read only of a file that the user names. */
const defaultTokens = 5120;
/** Tokens at random are all of one kind. */
const randomTokens = 2048;
const mostTokens = 16_384;
/** A file of more bytes is cut off there. */
const mostBytes = 1 << 20;

/**
 * @param file of a text or several, each from the line behind a form feed on; undefined for the ones that come with Heddle.
 * @param tokenizer content of tokenizer.json; without one, tokens are drawn at random.
 * @param rows tokens of one run.
 * @throws HeddleError for a file that is missing, empty, too short or no text in UTF-8.
 */
export function calibrationTokens(
  file: string | undefined,
  { tokenizer, vocab, rows }: { tokenizer: Checkpoint["tokenizer"]; vocab: number; rows: number },
): CalibrationTokens {
  if (file !== undefined && !(existsSync(file) && statSync(file).isFile()))
    throw new HeddleError("there is no such file", { subject: `--calibration ${file}` });
  if (tokenizer === undefined) {
    if (file !== undefined)
      throw new HeddleError("cannot be read as tokens: the weights come with no tokenizer.json", {
        subject: `--calibration ${file}`,
        hint: "leave --calibration out: tokens are then drawn at random",
      });
    // A linear congruential generator (Numerical Recipes): the same tokens for everybody.
    let state = 1;
    const next = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * vocab);
    };
    const sequences = Array.from({ length: Math.max(1, Math.floor(randomTokens / rows)) }, () =>
      Array.from({ length: rows }, next),
    );
    return { text: "random tokens", sequences };
  }
  const bytes = readFileSync(file ?? shipped);
  const text = utf8(bytes.subarray(0, mostBytes), `--calibration ${file}`, bytes.length > mostBytes);
  const parsed = parseTokenizer(tokenizer.content, tokenizer.name);
  // What stands in front of every text, such as Gemma's <bos>: a row without it has other and often larger values.
  const front = parsed.encode("");
  const each = rows - front.length;
  const texts = text.split(between).map((t) => parsed.encodePart(t));
  const all = texts.flat();
  if (all.length < each)
    throw new HeddleError(`has ${all.length} tokens; calibration needs at least ${each}`, {
      subject: `--calibration ${file ?? "(default text)"}`,
      hint: "give a longer text",
    });
  const most = Math.max(1, Math.floor((file === undefined ? defaultTokens : mostTokens) / rows));
  const around = [...all, ...all.slice(0, each)];
  return {
    text: file === undefined ? "the texts that come with Heddle" : basename(file),
    sequences: startsOf(texts, each, most).map((start) => [...front, ...around.slice(start, start + each)]),
  };
}

/**
 * Where sequences begin, `most` of them: each text as it begins for the model, because its first tokens have values that they have nowhere
 * else; and within long ones again, as long as half of the sequence is left of the text. It goes on into the next one, and behind the last
 * into the first.
 */
function startsOf(texts: readonly (readonly number[])[], each: number, most: number): number[] {
  const beginnings: number[] = [];
  const others: number[] = [];
  let first = 0;
  for (const { length } of texts) {
    beginnings.push(first);
    for (let at = each; length - at >= each / 2; at += each) others.push(first + at);
    first += length;
  }
  return [...spread(beginnings, most), ...spread(others, most - beginnings.length)].sort((a, b) => a - b);
}

/** Of so many items no more than `most`, from all over the list. */
const spread = (items: readonly number[], most: number): number[] => {
  const count = Math.max(0, Math.min(items.length, most));
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
};
