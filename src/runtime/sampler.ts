/** Chooses the next token from logits. */
import { HeddleError } from "../ir/error.ts";

export interface SamplerOptions {
  /** 0 (the default) takes the most likely token; 1 samples from the model's distribution. */
  readonly temperature?: number;
  /** Sample among the k most likely tokens only; 0 for all. */
  readonly topK?: number;
  /** Sample among the most likely tokens that together reach this probability (nucleus sampling, Holtzman et al., 2019). */
  readonly topP?: number;
  /** Of the random numbers: the same seed gives the same text. */
  readonly seed?: number;
  /** Above 1 makes tokens that were already used less likely (CTRL, Keskar et al., 2019). */
  readonly repetitionPenalty?: number;
}

/** @param used tokens so far, which a repetition penalty applies to. */
export type Sampler = (logits: Float32Array, used: Iterable<number>) => number;

/** @throws HeddleError for an option outside its range. */
export function createSampler(options: SamplerOptions = {}): Sampler {
  const { temperature = 0, topK = 0, topP = 1, seed = 0, repetitionPenalty = 1 } = options;
  refuseUnless(temperature >= 0 && Number.isFinite(temperature), "temperature", temperature, "0 or more");
  refuseUnless(Number.isInteger(topK) && topK >= 0, "top-k", topK, "a whole number, 0 or more");
  refuseUnless(topP > 0 && topP <= 1, "top-p", topP, "above 0 and at most 1");
  refuseUnless(Number.isInteger(seed), "seed", seed, "a whole number");
  refuseUnless(
    repetitionPenalty > 0 && repetitionPenalty < Infinity,
    "repetition penalty",
    repetitionPenalty,
    "a number above 0",
  );
  const random = mulberry32(seed);

  return (logits, used) => {
    const scores = repetitionPenalty === 1 ? logits : penalised(logits, used, repetitionPenalty);
    const best = argmax(scores);
    const max = scores[best]!;
    // An infinite logit has all of the probability, which the differences below cannot express.
    if (temperature === 0 || max === Infinity) return best;
    const weightOf = (score: number) => Math.exp((score - max) / temperature);
    return draw(scores, weightOf, cutoff(scores, weightOf, topK, topP), random());
  };
}

function refuseUnless(ok: boolean, name: string, value: number, range: string): void {
  if (!ok) throw new HeddleError(`${name} must be ${range}, not ${value}`);
}

/** The first of the largest values, by one scan. @throws HeddleError where a value is NaN, or none is above -Infinity. */
export function argmax(values: Float32Array): number {
  let best = -1;
  let most = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    // The usual case, no larger value, needs one comparison; NaN fails it.
    if (v <= most) continue;
    if (Number.isNaN(v))
      throw new HeddleError(`the model returned NaN for token ${i}: its weights or its backend are broken`);
    [best, most] = [i, v];
  }
  if (best < 0)
    throw new HeddleError("the model returned -Infinity for every token: its weights or its backend are broken");
  return best;
}

function penalised(logits: Float32Array, used: Iterable<number>, penalty: number): Float32Array {
  const out = logits.slice();
  for (const token of new Set(used)) {
    const x = out[token];
    if (x !== undefined) out[token] = x > 0 ? x / penalty : x * penalty;
  }
  return out;
}

/**
 * The smallest score that may be drawn: top-k first, then top-p of what is left. A cutoff in weights would not do: scores
 * that differ can have weights that do not.
 */
function cutoff(scores: Float32Array, weightOf: (score: number) => number, topK: number, topP: number): number {
  const all = topK === 0 || topK >= scores.length;
  if (all && topP === 1) return -Infinity;
  if (topP === 1) return largest(scores, topK).at(-1)!;
  // A vocabulary of 262,144 takes long to sort, and its most likely tokens nearly always reach topP.
  for (let count = all ? 256 : topK; ; count *= 8) {
    const kept = largest(scores, count);
    const total = all ? scores.reduce((sum, s) => sum + weightOf(s), 0) : kept.reduce((sum, s) => sum + weightOf(s), 0);
    let sum = 0;
    for (const s of kept) {
      sum += weightOf(s);
      if (sum >= topP * total) return s;
    }
    if (!all || kept.length < count) return kept.at(-1)!;
  }
}

/** The `count` largest values above -Infinity in descending order, fewer where there are fewer. */
function largest(values: Float32Array, count: number): Float32Array {
  const held = new Float32Array(Math.min(values.length, 4 * count));
  let n = 0;
  let least = -Infinity;
  const settle = () => {
    held.subarray(0, n).sort().reverse();
    if (n < count) return;
    [n, least] = [count, held[count - 1]!];
  };
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (v <= least) continue;
    if (n === held.length) settle();
    if (v > least) held[n++] = v;
  }
  settle();
  return held.subarray(0, n);
}

/** The token at `at` (0..1) of the total weight of those that reach the cutoff. */
function draw(scores: Float32Array, weightOf: (score: number) => number, least: number, at: number): number {
  const weights = scores.map((s) => (s >= least ? weightOf(s) : 0));
  let rest = at * weights.reduce((sum, w) => sum + w, 0);
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    rest -= weights[i]!;
    if (rest < 0) break;
  }
  return last;
}

/** Uniform numbers in [0, 1): Mulberry32 (Tommy Ettinger), 32 bits of state. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
