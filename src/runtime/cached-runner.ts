/**
 * A program with a KV cache: each token runs once. A context bucket is a pair of entry points (prefill in chunks, decode one
 * by one) with caches of one size; when a sequence outgrows it, the live part moves to the next bucket.
 */
import { bitsOf } from "../ir/type.ts";
import { type Entry, type EntryGraph, type Graphs, logitsOf } from "./entry-graph.ts";
import { type CacheLayout, type CacheMemory, KvCache } from "./kv-cache.ts";
import type { Runner } from "./runner.ts";
import type { Counters } from "./statistics.ts";

interface Bucket {
  readonly context: number;
  readonly prefill: Entry;
  readonly decode: Entry;
}

/** On a CPU a chunk costs about as much as this share of its rows one by one. */
const worthAChunk = 1 / 16;

/**
 * As many tokens as cost no less in a chunk than one by one: they are decoded. An NPU reads all weights for each, so that there a chunk pays
 * sooner: after 2.4 tokens where a chunk of 128 of Gemma 3 270M takes 12.2 ms and a step 5.1 ms (vendor-simulated).
 */
function fewOf({ prefill, decode }: Bucket): number {
  const [chunk, step] = [prefill, decode].map((e) => e.npu?.simulated?.us ?? 0) as [number, number];
  return Math.max(1, step > 0 ? chunk / step : prefill.tokens * worthAChunk);
}

export class CachedRunner implements Runner {
  readonly capacity: number;
  readonly #buckets: readonly Bucket[];
  readonly #graphs: Pick<Graphs, "get" | "forgetCaches">;
  readonly #counters: Counters;
  readonly #memory: CacheMemory;
  #bucket: Bucket | undefined;
  #cache: KvCache | undefined;
  /** The tokens whose keys and values are in the cache. */
  #held: number[] = [];

  constructor(
    entries: readonly Entry[],
    graphs: Pick<Graphs, "get" | "forgetCaches">,
    counters: Counters,
    positions: number,
    memory: CacheMemory,
  ) {
    this.#buckets = bucketsOf(entries);
    this.capacity = Math.min(positions, this.#buckets.at(-1)?.context ?? 0);
    this.#graphs = graphs;
    this.#counters = counters;
    this.#memory = memory;
  }

  async run(sequence: readonly number[]): Promise<Float32Array> {
    const { bucket, cache } = this.#room(sequence.length);
    // The last token runs even where it is known, because its logits are wanted.
    const known = cache.truncate(Math.min(commonPrefix(this.#held, sequence), sequence.length - 1));
    this.#held.length = known;
    this.#counters.reusedTokens += known;
    const few = fewOf(bucket);
    let logits: Float32Array = new Float32Array();
    while (this.#held.length < sequence.length) {
      // Decided anew for every step: what a last chunk would hold may be few as well.
      const entry = sequence.length - this.#held.length <= few ? bucket.decode : bucket.prefill;
      logits = await this.#step(await this.#graphs.get(entry), cache, sequence);
    }
    this.#counters.cache.length = cache.length;
    return logits;
  }

  reset(): void {
    this.#free(this.#cache);
    [this.#bucket, this.#cache] = [undefined, undefined];
    this.#held = [];
    this.#counters.holds(0);
    this.#counters.cache.context = this.#counters.cache.length = 0;
  }

  /** Runs the next tokens of the sequence, as many as the entry point takes. Returns the logits of the last one. */
  async #step(graph: EntryGraph, cache: KvCache, sequence: readonly number[]): Promise<Float32Array> {
    const { entry, inputs } = graph;
    const rows = entry.tokens;
    const position = this.#held.length;
    const tokens = sequence.slice(position, position + rows);
    for (const { name, role } of entry.inputs) {
      if (role === "tokens") inputs[name]!.fill(0).set(tokens);
      else if (role === "position") inputs[name]![0] = position;
      else if (role === "last") inputs[name]![0] = tokens.length - 1;
    }
    await graph.run(cache.arrays);
    this.#append(graph, cache, position, tokens.length);

    this.#held.push(...tokens);
    cache.append(rows, tokens.length);
    this.#counters.computedTokens += tokens.length;
    return logitsOf(graph).slice();
  }

  /** Writes what a backend without in-place caches returned. */
  #append({ entry, outputs }: EntryGraph, cache: KvCache, position: number, count: number): void {
    const start = performance.now();
    const slices = entry.state.flatMap((s) => (s.mode === "host" ? [[s.cache, s.slice!] as const] : []));
    if (slices.length === 0) return;
    for (const [name, slice] of slices) {
      const { buffer, byteOffset, byteLength } = outputs[slice]!;
      cache.write(name, new Uint8Array(buffer, byteOffset, byteLength), entry.tokens, position, count);
    }
    this.#counters.appended("session", performance.now() - start);
  }

  /** The bucket and cache for a sequence of this length; a larger one takes over what the smaller one held. */
  #room(length: number): { bucket: Bucket; cache: KvCache } {
    if (this.#bucket && this.#cache && length <= this.#bucket.context)
      return { bucket: this.#bucket, cache: this.#cache };
    const bucket = this.#buckets.find((b) => b.context >= length)!;
    const cache = new KvCache(bucket.context, layoutsOf(bucket.decode), this.#memory);
    if (this.#cache) {
      const start = performance.now();
      cache.adopt(this.#cache);
      this.#counters.cache.growths++;
      this.#counters.cache.growthMs += performance.now() - start;
    }
    this.#counters.holds(cache.bytes, this.#cache?.bytes);
    this.#free(this.#cache);
    this.#counters.cache.context = bucket.context;
    [this.#bucket, this.#cache] = [bucket, cache];
    return { bucket, cache };
  }

  #free(cache: KvCache | undefined): void {
    this.#graphs.forgetCaches();
    cache?.free();
  }
}

/** Pairs of entry points, smallest context first. */
function bucketsOf(entries: readonly Entry[]): Bucket[] {
  return entries
    .flatMap((decode) => {
      const prefill = entries.find((e) => e.role === "prefill" && e.context === decode.context);
      return decode.role === "decode" && prefill ? [{ context: decode.context, prefill, decode }] : [];
    })
    .sort((a, b) => a.context - b.context);
}

const layoutsOf = (entry: Entry): CacheLayout[] =>
  entry.state.map(({ cache, axis, window }) => {
    const { name, shape, dtype } = entry.inputs.find((p) => p.name === cache)!;
    return { name, shape, axis, bytesPerElement: bitsOf[dtype] / 8, ...(window !== undefined && { window }) };
  });

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}
