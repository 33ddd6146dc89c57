/** What `--weights` names: a Hugging Face folder, or a .safetensors file, alone or beside its config.json. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { openHfGpt2 } from "./hf-gpt2.ts";
import type { WeightSource } from "./source.ts";

export interface Checkpoint {
  readonly weights: WeightSource;
  /** config.json, where there is one. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Path of tokenizer.json, where there is one. */
  readonly tokenizer?: string;
  /** Tokens that end a text. */
  readonly eos: readonly number[];
}

/** Opens the weights, which the caller closes. @throws HeddleError for a missing, unreadable or unsound file. */
export function openCheckpoint(path: string): Checkpoint {
  if (!existsSync(path))
    throw new HeddleError("there is no such file or folder", {
      subject: `--weights ${path}`,
      hint: "give a .safetensors file, or a Hugging Face folder with config.json and model.safetensors",
    });
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const file = isFolder ? join(path, "model.safetensors") : path;
  if (isFolder && !existsSync(file)) refuseFolder(path);
  if (!isFolder && !path.endsWith(".safetensors"))
    throw new HeddleError("is not a .safetensors file", { subject: `--weights ${path}` });

  const config = readJson(join(folder, "config.json"));
  const eos = eosOf(config) ?? eosOf(readJson(join(folder, "generation_config.json"))) ?? [];
  const tokenizer = join(folder, "tokenizer.json");
  // Size and time of change can be set to those of another file, as copies with -p do; number and status change cannot.
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
  const name = isFolder ? join(basename(resolve(path)), "model.safetensors") : basename(file);
  return {
    weights: openHfGpt2(file, name, [resolve(file), size, mtimeNs, ctimeNs, ino].join(":")),
    ...(config && { config }),
    ...(existsSync(tokenizer) && { tokenizer }),
    eos,
  };
}

function refuseFolder(path: string): never {
  const sharded = existsSync(join(path, "model.safetensors.index.json"));
  throw new HeddleError(`has no model.safetensors${sharded ? ": its weights are in several files" : ""}`, {
    subject: `--weights ${path}`,
    hint: sharded
      ? "save it in one file: model.save_pretrained(folder, max_shard_size='100GB')"
      : "save it with model.save_pretrained(folder, safe_serialization=True)",
  });
}

function readJson(path: string): Readonly<Record<string, unknown>> | undefined {
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (e) {
    throw new HeddleError(`is not JSON: ${(e as Error).message}`, { subject: path });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new HeddleError("is not a JSON object", { subject: path });
  return value as Readonly<Record<string, unknown>>;
}

const isToken = (t: unknown): t is number => Number.isSafeInteger(t) && (t as number) >= 0;

function eosOf(config: Readonly<Record<string, unknown>> | undefined): readonly number[] | undefined {
  const eos = config?.eos_token_id;
  if (isToken(eos)) return [eos];
  return Array.isArray(eos) && eos.every(isToken) ? eos : undefined;
}
