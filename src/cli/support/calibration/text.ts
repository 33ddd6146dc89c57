/** What a model is calibrated on: a text of the user's, the one that comes with Heddle, or tokens at random. */
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
/** Enough for ranges to settle; more is read only from a text that the user names. */
const defaultTokens = 2048;
const mostTokens = 16_384;
/** A text of more bytes is cut off there. */
const mostBytes = 1 << 20;

/**
 * @param file a text, or undefined for the one that comes with Heddle.
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
    const sequences = Array.from({ length: Math.max(1, Math.floor(defaultTokens / rows)) }, () =>
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
  // A text of the user's is read as the model will read such texts: line breaks and indentation are tokens of their own.
  const tokens = parsed.encodePart(file === undefined ? text.replaceAll(/\s+/g, " ").trim() : text);
  const most = file === undefined ? defaultTokens : mostTokens;
  const whole = Math.floor(Math.min(tokens.length, most) / each);
  if (whole === 0)
    throw new HeddleError(`has ${tokens.length} tokens; calibration needs at least ${each}`, {
      subject: `--calibration ${file ?? "(default text)"}`,
      hint: "give a longer text",
    });
  const sequences = Array.from({ length: whole }, (_, i) => [...front, ...tokens.slice(i * each, (i + 1) * each)]);
  return { text: file === undefined ? "the text that comes with Heddle" : basename(file), sequences };
}
