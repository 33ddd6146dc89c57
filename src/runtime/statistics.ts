/** What a session has done so far, in counts and measured times. */

export interface SessionStats {
  /** Tokens that joined the sequence through `prefill` and `decode`, and the time that took, building of graphs left out. */
  readonly prefill: { readonly tokens: number; readonly ms: number };
  readonly decode: { readonly tokens: number; readonly ms: number };
  /** Tokens that went through the model; without a cache, all of the sequence for every new one. */
  readonly computedTokens: number;
  /** Tokens whose keys and values were in the cache, summed over all runs: a model without a cache computes them again. */
  readonly reusedTokens: number;
  /**
   * Share of all keys and values that a model without a cache would have computed and this one did not:
   * reused / (reused + computed), both counted in tokens per run. 0 without a cache.
   */
  readonly savedShare: number;
  readonly cache: {
    /** Bytes held now, and at most so far. */
    readonly bytes: number;
    readonly peakBytes: number;
    /** Tokens that the current bucket holds, and those it has. */
    readonly context: number;
    readonly length: number;
    /** Moves to a larger bucket, and the time spent on copying. */
    readonly growths: number;
    readonly growthMs: number;
    /** Who writes new keys and values: the graph in place, or the session for a backend that cannot. */
    readonly appendedBy: "graph" | "session";
    /** Time spent on that; undefined where the graph does it and nobody asked for a profile. */
    readonly appendMs: number | undefined;
  };
  /** Times that the window moved: the oldest half forgotten, the rest computed again. */
  readonly slides: number;
  /** Entry points in use, in the order in which they were built, and the time of building them. */
  readonly entries: readonly string[];
  readonly buildMs: number;
}

/** The counters behind `SessionStats`. */
export class Counters {
  prefill = { tokens: 0, ms: 0 };
  decode = { tokens: 0, ms: 0 };
  computedTokens = 0;
  reusedTokens = 0;
  cache = { bytes: 0, peakBytes: 0, context: 0, length: 0, growths: 0, growthMs: 0 };
  appendedBy: "graph" | "session" = "graph";
  appendMs: number | undefined;
  slides = 0;
  entries: string[] = [];
  buildMs = 0;

  /** Notes an entry point that is now in use. */
  built(entry: string, ms: number): void {
    // Each part of a program has its own graph for an entry point.
    if (!this.entries.includes(entry)) this.entries.push(entry);
    this.buildMs += ms;
  }

  /** Notes time spent on writing keys and values. */
  appended(by: "graph" | "session", ms: number): void {
    this.appendedBy = by;
    this.appendMs = (this.appendMs ?? 0) + ms;
  }

  /** Notes how much cache is allocated now, `copying` more while it moves. */
  holds(bytes: number, copying = 0): void {
    this.cache.bytes = bytes;
    this.cache.peakBytes = Math.max(this.cache.peakBytes, bytes + copying);
  }

  snapshot(): SessionStats {
    const total = this.reusedTokens + this.computedTokens;
    return {
      prefill: { ...this.prefill },
      decode: { ...this.decode },
      computedTokens: this.computedTokens,
      reusedTokens: this.reusedTokens,
      savedShare: total === 0 ? 0 : this.reusedTokens / total,
      cache: { ...this.cache, appendedBy: this.appendedBy, appendMs: this.appendMs },
      slides: this.slides,
      entries: [...this.entries],
      buildMs: this.buildMs,
    };
  }
}
