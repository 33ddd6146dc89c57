/** What Hugging Face transformers computed for a model (scripts/make_goldens.py documents the files), and how far a session is off. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { ModelInfo } from "../../ir/program.ts";
import { argmax } from "../../runtime/sampler.ts";
import type { Session } from "../../runtime/session.ts";
import type { WeightSource } from "../../weights/source.ts";

export interface GoldenPosition {
  readonly position: number;
  /** At the ids of `vocabulary`. */
  readonly logits: readonly number[];
  readonly top: readonly (readonly [id: number, logit: number])[];
  readonly maxAbs: number;
  readonly logSumExp: number;
}
export interface Goldens {
  readonly header: { readonly model: string; readonly seed: number; readonly transformers: string };
  readonly config: Pick<ModelInfo, "vocab" | "layers" | "width" | "heads" | "positions"> & Partial<ModelInfo>;
  /** What a folder with this model would have as config.json. */
  readonly checkpoint?: Readonly<Record<string, unknown>>;
  readonly weights: readonly { name: string; shape: number[]; sha256: string }[];
  readonly vocabulary: readonly number[];
  readonly forward: readonly { prompt: string; ids: number[]; positions: GoldenPosition[] }[];
  readonly greedy: readonly { prompt: string; ids: number[]; tokens: number[]; gaps: number[]; text?: string }[];
  /** Of the trained fixture on its held-out text, each line scored by itself. */
  readonly perplexity?: { readonly file: string; readonly nats: number; readonly tokens: number };
}

const folder = new URL("../../../test/golden/hf/", import.meta.url);

export const readGoldens = (model: string): Goldens =>
  JSON.parse(readFileSync(new URL(`${model}.json`, folder), "utf8"));

/** The goldens that were made with this configuration and these weights, by checksum; undefined where there are none. */
export function findGoldens(info: ModelInfo, weights: WeightSource): Goldens | undefined {
  const names = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".json")) : [];
  return names
    .map((f) => readGoldens(f.slice(0, -".json".length)))
    .find(
      (g) =>
        (Object.keys(g.config) as (keyof Goldens["config"])[]).every((k) => !(k in info) || g.config[k] === info[k]) &&
        g.weights.every(({ name, shape, sha256 }) => sha256 === checksum(weights.read(name, shape))),
    );
}

const checksum = (values: Float32Array): string => createHash("sha256").update(values).digest("hex");

/** Largest difference of logits from those of a golden position, its summaries over the whole vocabulary included. */
export function goldenError(logits: Float32Array, golden: GoldenPosition, vocabulary: readonly number[]): number {
  const largest = logits.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  const peak = logits[argmax(logits)]!;
  const logSumExp = peak + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - peak), 0));
  return Math.max(
    ...golden.logits.map((x, i) => Math.abs(x - logits[vocabulary[i]!]!)),
    ...golden.top.map(([id, x]) => Math.abs(x - logits[id]!)),
    Math.abs(golden.maxAbs - largest),
    Math.abs(golden.logSumExp - logSumExp),
  );
}

export interface GoldenResult {
  readonly kind: "logits" | "greedy";
  readonly prompt: string;
  /** Tokens of the prompt. */
  readonly length: number;
  /** logits: the largest difference; greedy: the number of tokens that differ. */
  readonly error: number;
}

/** Runs every golden prompt through a session, one result for each. */
export async function* compareWithGoldens(session: Session, goldens: Goldens): AsyncGenerator<GoldenResult> {
  for (const { prompt, ids, positions } of goldens.forward) {
    session.reset();
    let error = 0;
    for (const golden of positions) {
      const logits = await session.prefill(ids.slice(0, golden.position + 1));
      error = Math.max(error, goldenError(logits, golden, goldens.vocabulary));
    }
    yield { kind: "logits", prompt, length: ids.length, error };
  }
  for (const { prompt, ids, tokens } of goldens.greedy) {
    session.reset();
    const found: number[] = [];
    for await (const { token } of session.generate(ids, { maxTokens: tokens.length, stop: [] })) found.push(token);
    yield { kind: "greedy", prompt, length: ids.length, error: tokens.filter((t, i) => t !== found[i]).length };
  }
}
