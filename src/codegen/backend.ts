/**
 * What a code generator is: `legalize` brings a bound graph to ops that the target has, `plan` decides everything that is
 * left to decide and can be printed, `emit` writes it down. Weights are shared by the entry points of a program, so they are
 * collected in one table while the entry points are planned.
 */
import type { Graph } from "../ir/graph.ts";
import type { HostCache } from "./host-caches.ts";
import type { WeightTable } from "./weights.ts";

/** A graph of ops that the target has. */
export interface LegalGraph {
  readonly graph: Graph;
  /** Caches that the caller writes; the graph's own state is updated in place. */
  readonly caches: readonly HostCache[];
}

export interface Backend<Plan> {
  /** What errors call it. */
  readonly name: string;
  /** @throws HeddleError naming op, types and line of an op that the target cannot run, and what to try. */
  legalize(g: Graph): LegalGraph;
  /** @param g legal for this backend. */
  plan(g: LegalGraph, weights: WeightTable): Plan;
  /** The plan as text, for people. */
  show(plan: Plan): string;
  /** Text of the artifact. Equal plans give equal bytes. */
  emit(plan: Plan): string;
}
