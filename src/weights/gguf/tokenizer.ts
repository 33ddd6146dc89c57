/**
 * The vocabulary of a GGUF file as a tokenizer.json, so that the runtime knows one format only. GGUF's `llama` model is
 * SentencePiece BPE (Kudo and Richardson, 2018): of all neighbours that join to a piece, those whose piece has the highest
 * score join first. As a list of merges that is every way to cut every piece in two, ordered by the score of the piece.
 */
import { HeddleError } from "../../ir/error.ts";
import type { ChatFormat } from "../chat-format.ts";
import type { Metadata, MetadataValue } from "./header.ts";

/** `tokenizer.ggml.token_type` (llama.cpp, enum llama_token_type). */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;
/** A piece starts a word where it begins with this. */
const space = "\u2581";

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly types: readonly number[];
}

/** @throws HeddleError for another kind of tokenizer, or lists that do not fit each other. */
export function tokenizerJson(metadata: Metadata, file: string): string {
  const vocabulary = vocabularyOf(metadata, file);
  const { tokens, types } = vocabulary;
  const id = (key: string): number | undefined => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < tokens.length
      ? value
      : undefined;
  };
  const flag = (key: string, absent: boolean) => (metadata.get(`tokenizer.ggml.${key}`) ?? absent) === true;
  const prefix = flag("add_space_prefix", true);
  const replace = (from: string, to: string) => ({ type: "Replace", pattern: { String: from }, content: to });
  const added = tokens.flatMap((content, i) =>
    content !== "" && (types[i] === kinds.control || types[i] === kinds.userDefined)
      ? [{ id: i, content, ...whole, special: types[i] === kinds.control }]
      : [],
  );
  const before = flag("add_bos_token", true) ? id("bos_token_id") : undefined;
  const after = flag("add_eos_token", false) ? id("eos_token_id") : undefined;
  const unknown = id("unknown_token_id");
  return JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: "Sequence",
      normalizers: [...(prefix ? [{ type: "Prepend", prepend: space }] : []), replace(" ", space)],
    },
    pre_tokenizer: null,
    post_processor: template(tokens, before, after),
    decoder: {
      type: "Sequence",
      decoders: [
        ...[replace(space, " "), { type: "ByteFallback" }, { type: "Fuse" }],
        ...(prefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown === undefined ? null : tokens[unknown],
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: types.includes(kinds.byte),
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((t, i) => [t, i])),
      merges: mergesOf(vocabulary),
    },
  });
}

const whole = { single_word: false, lstrip: false, rstrip: false, normalized: false } as const;

/** Tokens that end a text: what the file calls end of sequence or turn, and Gemma's end of turn. */
export function endTokens(metadata: Metadata): number[] {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const ids = ["eos_token_id", "eot_token_id"].map((key) => metadata.get(`tokenizer.ggml.${key}`));
  if (Array.isArray(tokens)) ids.push(tokens.indexOf("<end_of_turn>"));
  const valid = ids.filter((i): i is number => typeof i === "number" && Number.isInteger(i) && i >= 0);
  return [...new Set(valid)];
}

/** The file's chat template, and the tokens that it names. */
export function chatFormat(metadata: Metadata): ChatFormat | undefined {
  const template = metadata.get("tokenizer.chat_template");
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (typeof template !== "string") return undefined;
  const named = (key: string) => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    const text = Array.isArray(tokens) && typeof id === "number" ? tokens[id] : undefined;
    return typeof text === "string" ? { [key]: text } : {};
  };
  return { template, ...named("bos"), ...named("eos") };
}

function vocabularyOf(metadata: Metadata, file: string): Vocabulary {
  const refuse = (key: string, reason: string, hint: string): never => {
    throw new HeddleError(reason, { subject: `${file}, key tokenizer.ggml.${key}`, hint });
  };
  const model = metadata.get("tokenizer.ggml.model");
  if (model !== "llama")
    refuse(
      "model",
      `is ${JSON.stringify(model) ?? "missing"}; vocabularies of the kind "llama" can be read`,
      "use the model's safetensors with its tokenizer.json",
    );
  const list = <T extends MetadataValue>(
    key: string,
    is: (v: MetadataValue) => v is T,
    length?: number,
  ): readonly T[] => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    if (Array.isArray(value) && value.every(is) && value.length === (length ?? value.length)) return value;
    const wanted = length === undefined ? "" : `, one for each of ${length} tokens`;
    return refuse(key, `must be a list${wanted}`, "convert the model again with llama.cpp's convert_hf_to_gguf.py");
  };
  const isNumber = (v: MetadataValue): v is number => typeof v === "number";
  const tokens = list("tokens", (v): v is string => typeof v === "string");
  const again = tokens.length - new Set(tokens).size;
  if (again > 0) refuse("tokens", `has ${again} tokens twice`, "convert the model again");
  return {
    tokens,
    scores: list("scores", isNumber, tokens.length),
    types: list("token_type", isNumber, tokens.length),
  };
}

/** What stands before and after every text. */
function template(tokens: readonly string[], before?: number, after?: number): unknown {
  const special = (id: number) => ({ SpecialToken: { id: tokens[id], type_id: 0 } });
  const around = (id: number | undefined) => (id === undefined ? [] : [special(id)]);
  const ids = [before, after].filter((i): i is number => i !== undefined);
  if (ids.length === 0) return null;
  return {
    type: "TemplateProcessing",
    single: [...around(before), { Sequence: { id: "A", type_id: 0 } }, ...around(after)],
    pair: [
      ...around(before),
      { Sequence: { id: "A", type_id: 0 } },
      { Sequence: { id: "B", type_id: 0 } },
      ...around(after),
    ],
    special_tokens: Object.fromEntries(ids.map((i) => [tokens[i], { id: tokens[i], ids: [i], tokens: [tokens[i]] }])),
  };
}

/** Pairs of pieces in the order in which they join. */
function mergesOf({ tokens, scores, types }: Vocabulary): (readonly [string, string])[] {
  const joins = (i: number) => types[i] === kinds.normal || types[i] === kinds.unused;
  const pieces = new Set(tokens.filter((_, i) => joins(i)));
  const order = tokens.flatMap((_, i) => (joins(i) ? [i] : [])).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const merges: (readonly [string, string])[] = [];
  for (const i of order) {
    const token = tokens[i]!;
    for (let cut = 1; cut < token.length; cut++) {
      // Not between the halves of one character.
      const unit = token.charCodeAt(cut);
      if (unit >= 0xdc00 && unit < 0xe000) continue;
      const [left, right] = [token.slice(0, cut), token.slice(cut)];
      if (pieces.has(left) && pieces.has(right)) merges.push([left, right]);
    }
  }
  return merges;
}
