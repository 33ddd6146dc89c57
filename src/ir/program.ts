/** Programs: what a graph file exports. A model in its configurations, a list of passes, and the entry points wanted. */
import type { Graph } from "./graph.ts";

/** Sizes that the runtime and the tools need to know of a decoder-only language model. */
export interface ModelInfo {
  readonly vocab: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** The longest sequence that the model can place. */
  readonly positions: number;
}

export type EntryRole = "forward" | "prefill" | "decode";

/** One static-shape binding of a graph. */
export interface EntryPoint {
  readonly name: string;
  readonly role: EntryRole;
  readonly bind: Readonly<Record<string, number>>;
}

/** Consecutive layers, both ends included, counted from 0. */
export interface LayerRange {
  readonly first: number;
  readonly last: number;
}

/** A model as its passes see it: one graph with symbolic sizes, and the bindings that will be compiled. */
export interface Module {
  readonly graph: Graph;
  readonly entries: readonly EntryPoint[];
  /** Which rows of its results are wanted: of a part of a model all, as the next part goes on from them. Default last. */
  readonly rows?: "last" | "all";
}

export interface Model<C> {
  readonly name: string;
  /** Configurations by name; the first is the default. */
  readonly configs: Readonly<Record<string, C>>;
  info(config: C): ModelInfo;
  /**
   * @param layers only these: what comes before them is an input `hidden` in place of the tokens, and unless the last is
   * among them the result is what they leave. A model that cannot be taken apart does not declare it.
   * @param longest sequence that is wanted; default what compiles quickly. A model that always has all of its positions does not
   * declare it.
   */
  build(config: C, layers?: LayerRange, longest?: number): Module;
  /** Reads the configuration of a checkpoint, Hugging Face's config.json. @throws Error where it is of another family. */
  fromCheckpoint?(json: Readonly<Record<string, unknown>>): C;
}
