/**
 * Passes: graph in, graph out. Two forms and no third: `rules` for local patterns, `pass` for what needs to see the whole
 * graph. The runner (run.ts) verifies, counts, times, dumps and proves both alike.
 */
import type { Graph } from "../ir/graph.ts";
import type { Module } from "../ir/program.ts";
import { type Miss, type Rule, rewrite } from "../ir/rewrite.ts";
import type { Target } from "../targets/target.ts";
import type { Proof, ProofOptions } from "./prove.ts";

/** What a pass may look at besides the graph. */
export interface PassContext {
  readonly target: Target;
  /** Sizes of caches that are wanted, ascending; undefined for those that suit the model and the target. */
  readonly contexts?: readonly number[];
  /** Reports that `rule` changed something at one place. */
  hit(rule: string): void;
  /** Reports why something that looked right was left alone. */
  miss(miss: Miss): void;
}

/** How a pass is proved where the default (same inputs, same outputs) does not do. */
export interface ProofSpec {
  /** Largest difference allowed, relative to the largest value of an output: for passes that round, such as f16-weights. */
  readonly tolerance?: number;
  /** A proof of its own, for a pass that changes inputs and outputs. */
  readonly prove?: (before: Module, after: Module, options: ProofOptions) => Proof;
}

export interface Pass {
  readonly name: string;
  /** One sentence: what it does and what for. */
  readonly doc: string;
  /** The rules that it applies on this target; none for a pass of the global form. */
  readonly rules: (target: Target) => readonly Rule[];
  run(module: Module, context: PassContext): Module;
  readonly proof: ProofSpec;
}

interface Options extends ProofSpec {
  readonly doc: string;
}

/** A pass made of local rules, applied to a fixed point. Rules that need to know the target come as a function of it. */
export function rules(
  name: string,
  list: readonly Rule[] | ((target: Target) => readonly Rule[]),
  { doc, ...proof }: Options,
): Pass {
  const of = typeof list === "function" ? list : () => list;
  return {
    name,
    doc,
    rules: of,
    proof,
    run: (module, context) => ({ ...module, graph: applyRules(module.graph, of(context.target), context) }),
  };
}

/** A pass that sees the whole module: returns another graph, or a whole module where entry points change too. */
export function pass(
  name: string,
  run: (graph: Graph, context: PassContext, module: Module) => Graph | Module,
  { doc, ...proof }: Options,
): Pass {
  return {
    name,
    doc,
    rules: () => [],
    proof,
    run: (module, context) => {
      const result = run(module.graph, context, module);
      return "graph" in result ? result : { ...module, graph: result };
    },
  };
}

/** Rewrites with rules inside a pass of the global form, reporting to its context. */
export function applyRules(graph: Graph, list: readonly Rule[], context: PassContext): Graph {
  const result = rewrite(graph, list);
  for (const [name, times] of result.hits) for (let i = 0; i < times; i++) context.hit(name);
  for (const miss of result.misses) context.miss(miss);
  return result.graph;
}
