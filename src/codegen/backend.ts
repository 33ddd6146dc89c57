/**
 * What a code generator is: `legalize` brings a bound graph to ops that the target has, `plan` decides everything that is
 * left to decide and can be printed, `emit` writes it down. Weights are shared by the entry points of a program, so they are
 * collected in one table while the entry points are planned.
 */
import type { Graph } from "../ir/graph.ts";
import type { EntryPoint } from "../ir/program.ts";
import type { HostCache } from "./host-caches.ts";
import type { WeightTable } from "./weights.ts";

/** A graph of ops that the target has. */
export interface LegalGraph {
  readonly graph: Graph;
  /** Caches that the caller writes; the graph's own state is updated in place. */
  readonly caches: readonly HostCache[];
}

/** How a cache is carried from one run to the next. */
export interface PlannedState {
  readonly cache: string;
  /** The axis along which positions grow. */
  readonly axis: number;
  /** In place: the graph writes the cache. Host: the caller copies output `slice` into input `cache` at the position. */
  readonly mode: "in-place" | "host";
  readonly slice?: string;
  /** Tokens that a cache must keep; absent where it keeps all. */
  readonly window?: number;
}

export interface PlannedTensor {
  readonly name: string;
  readonly dataType: string;
  readonly dims: readonly number[];
  /** Of integers that stand for other numbers. */
  readonly quantize?: { readonly encoding: string; readonly scale?: number; readonly offset?: number };
}

/** What a manifest tells of the plan of an entry point: the names and types of what goes in and out. */
export interface EntryPlan {
  /** Name of the entry point. */
  readonly graph: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly state: readonly PlannedState[];
  /** Whether it computes in fixed point from the embedding to the logits. */
  readonly fixedPoint?: boolean;
  /** Inputs and outputs are among these. */
  readonly tensors: readonly PlannedTensor[];
}

/** A file of a build. */
export interface Artifact {
  /** Relative to the build folder, with forward slashes. Equal paths have equal texts. */
  readonly path: string;
  readonly text: string;
}

export interface Backend<Plan extends EntryPlan> {
  /** What errors call it. */
  readonly name: string;
  /** Entry points in the order in which they are planned, where what is made for one may serve another; else as the program has them. */
  order?(entries: readonly EntryPoint[]): readonly EntryPoint[];
  /** @throws HeddleError naming op, types and line of an op that the target cannot run, and what to try. */
  legalize(g: Graph): LegalGraph;
  /** @param g legal for this backend. */
  plan(g: LegalGraph, weights: WeightTable): Plan;
  /** The plan as text, for people. */
  show(plan: Plan): string;
  /** The files of an entry point, first the one that the runtime loads. Equal plans give equal bytes. */
  emit(plan: Plan): readonly Artifact[];
}
