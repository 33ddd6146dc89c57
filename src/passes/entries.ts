/** Entry points: the static sizes that a graph is compiled for. A runtime pads to the next one, so they grow by doubling. */
import type { EntryPoint } from "../ir/program.ts";

/** Sequence lengths of a model without a cache. */
const lengths = [64, 128, 256, 512, 1024, 2048];
/** Context sizes of a model with one: all multiples of a 64-block. Small models start small. */
const contexts = [256, 512, 1024, 2048];
const smallContexts = [64, 128, 256];
/** The longest sequence that a program with this model takes. */
export const reach = (positions: number): number => Math.min(positions, lengths.at(-1)!);
/** Most tokens that one prefill takes at once. */
const chunk = 128;

/** `forward-64`, `forward-128` ... up to the model's positions, which are the last one; 2048 at most. */
export const forwardEntries = (positions: number): EntryPoint[] =>
  [...new Set([...lengths.filter((T) => T < positions), reach(positions)])].map((T) => ({
    name: `forward-${T}`,
    role: "forward",
    bind: { T },
  }));

/** Context sizes up to the model's positions rounded up to one of them. */
export function contextBuckets(positions: number): number[] {
  const sizes = positions < contexts[0]! ? smallContexts : contexts;
  const needed = sizes.findIndex((C) => C >= positions);
  return needed < 0 ? sizes : sizes.slice(0, needed + 1);
}

/** `prefill-256` and `decode-256` for each context size: the same graph for a chunk of tokens and for one. */
export const cacheEntries = (sizes: readonly number[], positions: number): EntryPoint[] =>
  sizes.flatMap((C): EntryPoint[] => [
    { name: `prefill-${C}`, role: "prefill", bind: { T: Math.min(chunk, C, positions), C } },
    { name: `decode-${C}`, role: "decode", bind: { T: 1, C } },
  ]);
