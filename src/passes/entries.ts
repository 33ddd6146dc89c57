/** Entry points: the static sizes that a graph is compiled for. A runtime pads to the next one, so they grow by doubling. */
import type { EntryPoint } from "../ir/program.ts";
import { type Sym, sym } from "../ir/type.ts";

/** Sequence lengths of a model without a cache. */
const lengths = [64, 128, 256, 512, 1024, 2048];
/** Context sizes of a model with one: all multiples of a 64-block. Small models start small. */
const contexts = [256, 512, 1024, 2048];
const smallContexts = [64, 128, 256];
/** The longest sequence that a program with this model takes: 2,048 tokens, unless more are wanted and the model can place them. */
export const reach = (positions: number, wanted = 0): number => Math.min(positions, Math.max(wanted, lengths.at(-1)!));
/** Most tokens that one prefill takes at once. */
const chunk = 128;

/** `forward-64`, `forward-128` ... up to the model's positions, which are the last one; 2048 at most. */
export const forwardEntries = (positions: number): EntryPoint[] =>
  [...new Set([...lengths.filter((T) => T < positions), reach(positions)])].map((T) => ({
    name: `forward-${T}`,
    role: "forward",
    bind: { T },
  }));

/**
 * Context sizes up to the model's positions rounded up to one of them.
 * @param smallest where a target gains from sizes below 256 even for large models
 */
export function contextBuckets(positions: number, smallest = contexts[0]!): number[] {
  const all = [...new Set([...smallContexts, ...contexts])];
  const sizes = positions < contexts[0]! ? smallContexts : all.filter((C) => C >= smallest);
  const needed = sizes.findIndex((C) => C >= positions);
  return needed < 0 ? sizes : sizes.slice(0, needed + 1);
}

/** A cache grows in blocks of this many places; every size is a multiple. */
export const cacheBlock = 64;

/** The size of a cache that holds as many tokens. */
export const wholeBlocks = (tokens: number): number => Math.ceil(tokens / cacheBlock) * cacheBlock;

/** Places of the ring that holds a window of tokens and, while it is written, a chunk beside them. */
export const ringPlaces = (window: number): number => wholeBlocks(window + chunk - 1);

/** The symbol that counts the places of such a ring. */
export const ringSymbol = (window: number): Sym => sym(`R${window}`, cacheBlock, ringPlaces(window));

/**
 * `prefill-256` and `decode-256` for each context size: the same graph for a chunk of tokens and for one. Rings are no larger than the
 * context: a shorter sequence never comes round.
 */
export const cacheEntries = (
  sizes: readonly number[],
  positions: number,
  windows: readonly number[] = [],
): EntryPoint[] =>
  sizes.flatMap((C): EntryPoint[] => {
    const rings = Object.fromEntries(windows.map((w) => [ringSymbol(w).sym, Math.min(C, ringPlaces(w))]));
    return [
      { name: `prefill-${C}`, role: "prefill", bind: { T: Math.min(chunk, C, positions), C, ...rings } },
      { name: `decode-${C}`, role: "decode", bind: { T: 1, C, ...rings } },
    ];
  });
