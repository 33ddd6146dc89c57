/** What Hugging Face transformers computed (scripts/make_goldens.py documents the format). */
import { readFileSync } from "node:fs";

export type GoldenModel = "tiny" | "fixture" | "124m";

export interface GoldenPosition {
  readonly position: number;
  /** At the ids of `vocabulary`. */
  readonly logits: readonly number[];
  readonly top: readonly (readonly [id: number, logit: number])[];
  readonly maxAbs: number;
  readonly logSumExp: number;
}
export interface Goldens {
  readonly header: { readonly seed: number };
  readonly weights: readonly { name: string; shape: number[]; first: number[]; sum: number; sha256: string }[];
  readonly vocabulary: readonly number[];
  readonly forward: readonly { prompt: string; ids: number[]; positions: GoldenPosition[] }[];
  readonly greedy: readonly { prompt: string; ids: number[]; tokens: number[]; gaps: number[]; text?: string }[];
}

export const readGoldens = (model: GoldenModel): Goldens =>
  JSON.parse(readFileSync(new URL(`../golden/hf/${model}.json`, import.meta.url), "utf8"));
