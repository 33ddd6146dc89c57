/**
 * The buffers of an entry point, bound to its graph once: handing over some thirty arrays with every token costs more than
 * all the small ops of a step.
 */
import { bitsOf } from "../ir/type.ts";
import { allocate, type Graph, release } from "./addon.ts";
import type { Entry } from "./entry-graph.ts";

type Output = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
type Caches = Readonly<Record<string, Uint8Array>>;

export class BoundGraph {
  /** Everything that is written before a run but the caches. */
  readonly inputs: Readonly<Record<string, Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>>;
  readonly outputs: Readonly<Record<string, Output>>;
  readonly #graph: Graph;
  #caches: Caches = {};

  constructor(entry: Entry, graph: Graph) {
    this.#graph = graph;
    const own = entry.inputs.filter((p) => p.role !== "cache");
    this.inputs = Object.fromEntries(own.map((p) => [p.name, inputArray(p)]));
    this.outputs = Object.fromEntries(entry.outputs.map((p) => [p.name, outputArray(p)]));
    for (const [name, array] of this.#arrays()) graph.bind(name, array);
  }

  /** Uses these caches from now on. The graph keeps their memory alive until it is given others. */
  bindCaches(caches: Caches): void {
    if (caches === this.#caches) return;
    for (const name of Object.keys(this.#caches)) this.#graph.unbind(name);
    for (const [name, array] of Object.entries(caches)) this.#graph.bind(name, array);
    this.#caches = caches;
  }

  /** Gives all buffers back. Nothing may run any more. */
  close(): void {
    this.bindCaches({});
    for (const [name, array] of this.#arrays()) {
      this.#graph.unbind(name);
      release(array.buffer);
    }
  }

  #arrays(): [string, Int32Array<ArrayBuffer> | Output][] {
    return [...Object.entries(this.inputs), ...Object.entries(this.outputs)];
  }
}

type Port = Entry["outputs"][number];

const bytesOf = (p: Pick<Port, "shape" | "dtype">): number => (sizeOf(p) * bitsOf[p.dtype]) / 8;

/** What an earlier part of a program leaves is only handed on, so what its bytes mean does not matter here. */
const inputArray = (p: Entry["inputs"][number]) =>
  p.role === "hidden" ? new Uint8Array(allocate(bytesOf(p))) : new Int32Array(allocate(4 * sizeOf(p)));

/** Logits are f32 or u16. A slice is only copied into its cache, and what a later part goes on from only handed on. */
const outputArray = (p: Port): Output => {
  const bytes = bytesOf(p);
  if (p.role !== "logits") return new Uint8Array(allocate(bytes));
  return p.dtype === "u16" ? new Uint16Array(allocate(bytes)) : new Float32Array(allocate(bytes));
};

const sizeOf = ({ shape }: { readonly shape: readonly number[] }): number => shape.reduce((n, d) => n * d, 1);
