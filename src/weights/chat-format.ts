/** How a model was trained to converse: a Jinja template and the tokens that it calls by name. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Json = Readonly<Record<string, unknown>>;

export interface ChatFormat {
  /** Jinja, as `apply_chat_template` of transformers renders it. */
  readonly template: string;
  /** What the template calls bos_token and eos_token. */
  readonly bos?: string;
  readonly eos?: string;
}

/** Of a Hugging Face folder: chat_template.jinja, or the field of tokenizer_config.json; of several named ones that is `default`. */
export function chatFormatOf(folder: string, readJson: (path: string) => Json | undefined): ChatFormat | undefined {
  const file = join(folder, "chat_template.jinja");
  const config = readJson(join(folder, "tokenizer_config.json")) ?? {};
  const template = existsSync(file) ? readFileSync(file, "utf8") : templateIn(config.chat_template);
  if (template === undefined) return undefined;
  const [bos, eos] = [textOf(config.bos_token), textOf(config.eos_token)];
  return { template, ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }) };
}

function templateIn(field: unknown): string | undefined {
  if (typeof field === "string") return field;
  if (!Array.isArray(field)) return undefined;
  const named = field.find((t) => typeof t === "object" && t !== null && t.name === "default");
  return typeof named?.template === "string" ? named.template : undefined;
}

/** A token is written as its text, or as an object that holds it. */
function textOf(token: unknown): string | undefined {
  if (typeof token === "string") return token;
  const { content } = (typeof token === "object" && token !== null ? token : {}) as Json;
  return typeof content === "string" ? content : undefined;
}
