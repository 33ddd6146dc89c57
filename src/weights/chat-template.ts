/** Where Hugging Face's folders keep the chat template: a file of its own, or a field of tokenizer_config.json. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

type Json = Readonly<Record<string, unknown>>;

/** The Jinja template of a folder; of several named ones that is `default`. */
export function chatTemplateOf(folder: string, readJson: (path: string) => Json | undefined): string | undefined {
  const file = join(folder, "chat_template.jinja");
  if (existsSync(file)) return readFileSync(file, "utf8");
  const field = readJson(join(folder, "tokenizer_config.json"))?.chat_template;
  if (typeof field === "string") return field;
  if (!Array.isArray(field)) return undefined;
  const named = field.find((t) => typeof t === "object" && t !== null && t.name === "default");
  return typeof named?.template === "string" ? named.template : undefined;
}
