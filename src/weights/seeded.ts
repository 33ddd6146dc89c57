/**
 * Weights made up from a seed, for when no checkpoint is given: each value is a hash of its index, so that any other
 * implementation reproduces them bit by bit. They have about the spread of trained weights; the text they make is noise.
 */
import { HeddleError } from "../ir/error.ts";
import { elements } from "../ir/type.ts";
import type { WeightSource } from "./source.ts";

/** Values of a weight are uniform in `center` plus or minus `halfWidth`, by the ending of its Hugging Face name. */
const distributions: readonly (readonly [ending: RegExp, center: number, halfWidth: number])[] = [
  [/(^|\.)ln_(1|2|f)\.weight$/, 1, 0.1],
  [/\.bias$/, 0, 0.05],
  [/(^|\.)wte\.weight$/, 0, 0.06],
  [/(^|\.)wpe\.weight$/, 0, 0.03],
  [/\.(c_attn|c_fc)\.weight$/, 0, 0.07],
  [/\.c_proj\.weight$/, 0, 0.04],
  // Gemma's norms store what they differ from 1 by.
  [/norm\.weight$/, 0, 0.1],
  [/embed_tokens\.weight$/, 0, 0.06],
  [/\.(q|k|v|gate|up)_proj\.weight$/, 0, 0.07],
  [/\.(o|down)_proj\.weight$/, 0, 0.04],
];

/**
 * Of trained Gemmas a few channels of the residual stream are some ten to a hundred times larger than the others, because norms that add to
 * it scale them so; what a target does about them is to be seen with made-up weights too. One channel of so many stands out: none of tiny
 * models.
 */
const channels = 320;
const standsOut = { names: /\.post_(attention|feedforward)_layernorm\.weight$/, by: 30 };

/** Channels that stand out, added to what was filled from `first` on. */
function addOutliers(name: string, out: Float32Array, first: number): void {
  if (!standsOut.names.test(name)) return;
  for (let i = channels - 1 - (first % channels); i < out.length; i += channels) out[i]! += standsOut.by;
}

/** FNV-1a (Fowler, Noll and Vo), 32 bits, over the UTF-8 of `seed:name`. */
export function seedOf(name: string, seed: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${seed}:${name}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const step = 0x9e3779b9;

/** Element i is fmix32(i * 0x9E3779B9 + start), the finaliser of MurmurHash3 (Appleby), as 24 bits in [-1, 1). */
export function fill(out: Float32Array, start: number, center: number, halfWidth: number): void {
  for (let i = 0, x0 = start | 0; i < out.length; i++, x0 = (x0 + step) | 0) {
    let x = x0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    out[i] = center + ((x >>> 8) * 2 ** -23 - 1) * halfWidth;
  }
}

function distributionOf(name: string): readonly [center: number, halfWidth: number] {
  const found = distributions.find(([ending]) => ending.test(name));
  if (found) return [found[1], found[2]];
  throw new HeddleError("is not a weight of GPT-2 or Gemma 3: the seeded generator knows only those by name", {
    subject: `weight ${name}`,
    hint: "use a Hugging Face name such as h.0.attn.c_attn.weight, or give a checkpoint with --weights",
  });
}

/** A source that has every weight of the known models in any shape. */
export function seededWeights(seed = 0): WeightSource {
  /** `count` values from the one numbered `first` on. */
  const values = (name: string, first: number, count: number): Float32Array => {
    const [center, halfWidth] = distributionOf(name);
    const out = new Float32Array(count);
    fill(out, seedOf(name, seed) + Math.imul(first, step), center, halfWidth);
    addOutliers(name, out, first);
    return out;
  };
  return {
    name: `seeded:${seed}`,
    fingerprint: `seeded:${seed}/2`,
    check: (wanted) => {
      for (const { name } of wanted) distributionOf(name);
    },
    read: (name, shape) => values(name, 0, elements(shape)),
    readRows: ({ name, shape }, start, count) => {
      const columns = elements(shape.slice(1));
      return values(name, start * columns, count * columns);
    },
    close: () => {},
  };
}
