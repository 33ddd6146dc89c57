/** The vocabulary of a GGUF file for the runtime's SentencePiece (src/runtime/sentencepiece.ts). */
import { HeddleError } from "../../ir/error.ts";
import type { ChatFormat } from "../chat-format.ts";
import type { Metadata, MetadataValue } from "./header.ts";

/** `tokenizer.ggml.token_type` (llama.cpp, enum llama_token_type): normal, unknown, control, user defined, unused, byte. */
const kinds: Readonly<Record<number, string>> = { 1: "n", 2: "u", 3: "c", 4: "d", 5: "n", 6: "b" };

/** The content of vocabulary.json. @throws HeddleError for another kind of tokenizer, or lists that do not fit each other. */
export function vocabularyJson(metadata: Metadata, file: string): string {
  const { tokens, scores, types } = vocabularyOf(metadata, file);
  const id = (key: string): number[] => {
    const value = metadata.get(`tokenizer.ggml.${key}_token_id`);
    return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < tokens.length ? [value] : [];
  };
  const flag = (key: string, absent: boolean) => (metadata.get(`tokenizer.ggml.${key}`) ?? absent) === true;
  const letters = types.map((t) => kinds[t] ?? "n");
  const unknown = id("unknown")[0] ?? letters.indexOf("u");
  return JSON.stringify({
    format: "heddle.vocabulary/1",
    pieces: tokens,
    scores,
    kinds: letters.join(""),
    ...(unknown >= 0 && { unknown }),
    before: flag("add_bos_token", true) ? id("bos") : [],
    after: flag("add_eos_token", false) ? id("eos") : [],
    prefix: flag("add_space_prefix", true),
  });
}

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

function vocabularyOf(metadata: Metadata, file: string) {
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
    what: string,
    is: (v: MetadataValue) => v is T,
    length?: number,
  ): readonly T[] => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    if (Array.isArray(value) && value.every(is) && value.length === (length ?? value.length)) return value;
    const wanted = length === undefined ? "" : `, one for each of ${length} tokens`;
    return refuse(
      key,
      `must be a list of ${what}${wanted}`,
      "convert the model again with llama.cpp's convert_hf_to_gguf.py",
    );
  };
  const isNumber = (v: MetadataValue): v is number => typeof v === "number" && Number.isFinite(v);
  const tokens = list("tokens", "texts", (v): v is string => typeof v === "string");
  const types = list("token_type", "numbers", isNumber, tokens.length);
  const again = tokens.length - new Set(tokens).size;
  if (again > 0) refuse("tokens", `has ${again} tokens twice`, "convert the model again");
  const odd = tokens.find((t, i) => kinds[types[i]!] === "b" && !/^<0x[0-9A-F]{2}>$/i.test(t));
  if (odd !== undefined)
    refuse("tokens", `has the byte ${JSON.stringify(odd)}; bytes are <0x00> to <0xFF>`, "convert the model again");
  return { tokens, scores: list("scores", "numbers", isNumber, tokens.length), types };
}
