/** What `--weights` names: a Hugging Face folder, a .safetensors file alone or beside its config.json, or a .gguf file. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { HeddleError } from "../ir/error.ts";
import { type ChatFormat, chatFormatOf } from "./chat-format.ts";
import { openGguf } from "./gguf/open.ts";
import { chatFormat, endTokens, vocabularyJson } from "./gguf/tokenizer.ts";
import { hfWeights } from "./hf.ts";
import { openSafeTensors } from "./safetensors.ts";
import { ggufSampling, type Sampling, samplingOf } from "./sampling.ts";
import { openSharded, shardsOf } from "./sharded.ts";
import type { WeightSource } from "./source.ts";

type Json = Readonly<Record<string, unknown>>;

export interface Checkpoint {
  readonly weights: WeightSource;
  /** config.json, where there is one, or what a GGUF file says in its place. */
  readonly config?: Json;
  /** The tokenizer's file, where there is one: tokenizer.json, or vocabulary.json with what a GGUF file has in its place. */
  readonly tokenizer?: TokenizerFile;
  /** How it was trained to converse, where it was. */
  readonly chat?: ChatFormat;
  /** Tokens that end a text. */
  readonly eos: readonly number[];
  /** How its authors sample from it, where they say so. */
  readonly sampling?: Sampling;
}

export interface TokenizerFile {
  readonly name: "tokenizer.json" | "vocabulary.json";
  content(): string | Uint8Array;
}

const single = "model.safetensors";
const index = `${single}.index.json`;

/** Opens the weights, which the caller closes. @throws HeddleError for a missing, unreadable or unsound file. */
export function openCheckpoint(path: string): Checkpoint {
  const refusal = (reason: string) =>
    new HeddleError(reason, {
      subject: `--weights ${path}`,
      hint: `give a .safetensors or .gguf file, or a Hugging Face folder with config.json and ${single}`,
    });
  if (!existsSync(path)) throw refusal("there is no such file or folder");
  const isFolder = statSync(path).isDirectory();
  const file = isFolder ? fileIn(path) : path;
  const name = isFolder ? join(basename(resolve(path)), basename(file)) : basename(file);
  if (file.endsWith(".gguf")) return ggufCheckpoint(file, name);
  if (file.endsWith(".safetensors") || basename(file) === index) return hfCheckpoint(file, name);
  throw refusal("is not a .safetensors or .gguf file");
}

/** The weights of a folder: one file, an index of several, or the only .gguf. */
function fileIn(folder: string): string {
  const found = [single, index].find((name) => existsSync(join(folder, name)));
  if (found) return join(folder, found);
  const gguf = readdirSync(folder).filter((name) => name.endsWith(".gguf"));
  if (gguf.length === 1) return join(folder, gguf[0]!);
  throw new HeddleError(
    gguf.length > 1
      ? `has ${gguf.length} .gguf files: ${gguf.sort().join(", ")}`
      : `has no ${single}, ${index} or .gguf file`,
    {
      subject: `--weights ${folder}`,
      hint:
        gguf.length > 1 ? "name one of them" : "save it with model.save_pretrained(folder, safe_serialization=True)",
    },
  );
}

function ggufCheckpoint(file: string, name: string): Checkpoint {
  const { weights, config, header } = openGguf(file, name, fingerprintOf([file]));
  const chat = chatFormat(header.metadata);
  const sampling = closingOnError(weights, () => ggufSampling(header.metadata, basename(file)));
  return {
    ...{ weights, config },
    ...(header.metadata.has("tokenizer.ggml.tokens") && {
      tokenizer: { name: "vocabulary.json", content: () => vocabularyJson(header.metadata, basename(file)) },
    }),
    ...(chat && { chat }),
    ...(sampling && { sampling }),
    eos: endTokens(header.metadata),
  };
}

function closingOnError<T>(weights: WeightSource, action: () => T): T {
  try {
    return action();
  } catch (e) {
    weights.close();
    throw e;
  }
}

function hfCheckpoint(file: string, name: string): Checkpoint {
  const folder = dirname(file);
  const config = readJson(join(folder, "config.json"));
  const generation = readJson(join(folder, "generation_config.json"));
  const sampling = samplingOf(generation, "generation_config.json");
  const content = basename(file) === index ? (readJson(file) ?? {}) : undefined;
  const shards = content ? [...new Set(shardsOf(file, content).values())].map((s) => join(folder, s)) : [file];
  const tensors = content ? openSharded(file, content) : openSafeTensors(file);
  const tokenizer = join(folder, "tokenizer.json");
  const chat = chatFormatOf(folder, readJson);
  return {
    weights: hfWeights(tensors, name, fingerprintOf(shards), config?.model_type),
    ...(config && { config }),
    ...(existsSync(tokenizer) && { tokenizer: { name: "tokenizer.json", content: () => readFileSync(tokenizer) } }),
    ...(chat && { chat }),
    ...(sampling && { sampling }),
    // As transformers has it, what is said about generating counts for it.
    eos: eosOf(generation) ?? eosOf(config) ?? [],
  };
}

/** Size and time of change can be set to those of another file, as copies with -p do; number and status change cannot. */
function fingerprintOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
      return [resolve(file), size, mtimeNs, ctimeNs, ino].join(":");
    })
    .join("|");
}

function readJson(path: string): Json | undefined {
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (e) {
    throw new HeddleError(`is not JSON: ${(e as Error).message}`, { subject: path });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new HeddleError("is not a JSON object", { subject: path });
  return value as Json;
}

const isToken = (t: unknown): t is number => Number.isSafeInteger(t) && (t as number) >= 0;

function eosOf(config: Json | undefined): readonly number[] | undefined {
  const eos = config?.eos_token_id;
  if (isToken(eos)) return [eos];
  return Array.isArray(eos) && eos.every(isToken) ? eos : undefined;
}
