/**
 * Entry points of a program in parts: the parts run one after the other, each on what the one before it left. To a session such an
 * entry point is like any other.
 */
import { bitsOf } from "../ir/type.ts";
import type { BuildFolder } from "./build-folder.ts";
import type { Entry, EntryGraph, Graphs } from "./entry-graph.ts";

/**
 * How parts are held: all `together` once they have been used, or `in-turn`, each only while it runs, where memory has no room for all
 * of them; then every run loads every part anew.
 */
export const residencies = ["together", "in-turn"] as const;
export type Residency = (typeof residencies)[number];

type Caches = Readonly<Record<string, Uint8Array>>;
type Buffer = Int32Array | Float32Array | Uint16Array | Uint8Array;

export class ChainedGraphs implements Graphs {
  readonly #parts: readonly BuildFolder[];
  readonly #open: (part: BuildFolder) => Graphs;
  readonly #residency: Residency;
  /** Those that are open. */
  readonly #graphs = new Map<number, Graphs>();
  readonly #chains = new Map<Entry, EntryGraph>();

  /** @param open makes the graphs of one part. */
  constructor(parts: readonly BuildFolder[], open: (part: BuildFolder) => Graphs, residency: Residency) {
    this.#parts = parts;
    this.#open = open;
    this.#residency = residency;
  }

  async get(entry: Entry): Promise<EntryGraph> {
    const chain = this.#chains.get(entry) ?? this.#chain(entry);
    this.#chains.set(entry, chain);
    return chain;
  }

  forgetCaches(): void {
    for (const graphs of this.#graphs.values()) graphs.forgetCaches();
  }

  close(): void {
    for (const graphs of this.#graphs.values()) graphs.close();
    this.#graphs.clear();
  }

  #chain(entry: Entry): EntryGraph {
    const links = this.#parts.map((part) => new Link(part.manifest.entries.find((e) => e.name === entry.name)!));
    const own = entry.inputs.filter((p) => p.role !== "cache");
    const inputs = Object.fromEntries(own.map((p) => [p.name, new Int32Array(sizeOf(p))]));
    const outputs = Object.fromEntries(entry.outputs.map((p) => [p.name, outputArray(p)]));
    const run: EntryGraph["run"] = async (caches) => {
      let hidden: Uint8Array | undefined;
      for (const [i, link] of links.entries()) {
        const graph = await this.#part(i).get(link.entry);
        hidden = await link.run(graph, inputs, hidden, caches, outputs);
      }
    };
    return { entry, inputs, outputs, run };
  }

  #part(i: number): Graphs {
    const known = this.#graphs.get(i);
    if (known) return known;
    if (this.#residency === "in-turn") this.close();
    const graphs = this.#open(this.#parts[i]!);
    this.#graphs.set(i, graphs);
    return graphs;
  }
}

/** An entry point of one part. */
class Link {
  readonly entry: Entry;
  readonly #hiddenIn: string | undefined;
  readonly #hiddenOut: string | undefined;
  readonly #cacheNames: readonly string[];
  #caches: Caches | undefined;
  #own: Caches = {};

  constructor(entry: Entry) {
    this.entry = entry;
    this.#hiddenIn = entry.inputs.find((p) => p.role === "hidden")?.name;
    this.#hiddenOut = entry.outputs.find((p) => p.role === "hidden")?.name;
    this.#cacheNames = entry.inputs.flatMap((p) => (p.role === "cache" ? [p.name] : []));
  }

  /** Copies in, runs, copies out. Returns what the next part goes on from, which stays as it is until the next run of any part. */
  async run(
    graph: EntryGraph,
    inputs: Readonly<Record<string, Buffer>>,
    hidden: Uint8Array | undefined,
    caches: Caches,
    outputs: Readonly<Record<string, Buffer>>,
  ): Promise<Uint8Array | undefined> {
    for (const [name, array] of Object.entries(graph.inputs))
      bytesOf(array).set(name === this.#hiddenIn ? hidden! : bytesOf(inputs[name]!));
    await graph.run(this.#cachesOf(caches));
    for (const [name, array] of Object.entries(graph.outputs))
      if (name !== this.#hiddenOut) bytesOf(outputs[name]!).set(bytesOf(array));
    // A copy: the part may be closed before the next one runs.
    return this.#hiddenOut === undefined ? undefined : bytesOf(graph.outputs[this.#hiddenOut]!).slice();
  }

  /** The caches of this part; the same object for the same caches, which a graph then need not bind again. */
  #cachesOf(caches: Caches): Caches {
    if (caches === this.#caches) return this.#own;
    this.#caches = caches;
    this.#own = Object.fromEntries(this.#cacheNames.map((name) => [name, caches[name]!]));
    return this.#own;
  }
}

type Port = Entry["outputs"][number];

const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number => shape.reduce((n, d) => n * d, 1);
const bytesOf = (a: Buffer): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
function outputArray(p: Port): Float32Array | Uint16Array | Uint8Array {
  if (p.role !== "logits") return new Uint8Array((sizeOf(p) * bitsOf[p.dtype]) / 8);
  return p.dtype === "u16" ? new Uint16Array(sizeOf(p)) : new Float32Array(sizeOf(p));
}
