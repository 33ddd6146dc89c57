/** What a program's folder has besides graphs and weights, and what its manifest says of the program as a whole. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CompileRequest } from "./compile.ts";
import type { Manifest } from "./manifest.ts";

const chatTemplateFile = "chat_template.jinja";

/** Writes tokenizer and chat template. Returns the fields of the manifest that do not depend on how the program is stored. */
export function writeProgram(
  folder: string,
  { program, info, eos, target, precision, blockSize, tokenizer, chat, sampling, passes }: CompileRequest,
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
