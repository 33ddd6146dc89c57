/** A program without a cache: the whole sequence runs again for every token, in the smallest entry point that holds it. */
import { type Entry, type Graphs, logitsOf } from "./entry-graph.ts";
import type { Runner } from "./runner.ts";
import type { Counters } from "./statistics.ts";

export class RecomputeRunner implements Runner {
  readonly capacity: number;
  readonly #entries: readonly Entry[];
  readonly #graphs: Pick<Graphs, "get">;
  readonly #counters: Counters;

  constructor(entries: readonly Entry[], graphs: Pick<Graphs, "get">, counters: Counters, positions: number) {
    this.#entries = entries.filter((e) => e.role === "forward").sort((a, b) => a.tokens - b.tokens);
    this.capacity = Math.min(positions, this.#entries.at(-1)?.tokens ?? 0);
    this.#graphs = graphs;
    this.#counters = counters;
  }

  async run(sequence: readonly number[]): Promise<Float32Array> {
    const n = sequence.length;
    const graph = await this.#graphs.get(this.#entries.find((e) => e.tokens >= n)!);
    // Causal: what stands behind the sequence cannot change the logits in it.
    graph.inputs[graph.entry.inputs[0]!.name]!.fill(0).set(sequence);
    await graph.run({});
    this.#counters.computedTokens += n;
    const logits = logitsOf(graph);
    const vocab = logits.length / graph.entry.tokens;
    return logits.slice((n - 1) * vocab, n * vocab);
  }

  reset(): void {}
}
