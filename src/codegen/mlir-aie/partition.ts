/**
 * Cuts a bound graph into steps that run one after the other: kernels on the array, and what lies between them as graphs for
 * the host. A value is computed once, in the earliest step that has its operands; a cache is updated in place by the host step
 * that appends to it, and read from there by kernels.
 */
import { HeddleError } from "../../ir/error.ts";
import { type Graph, graph as makeGraph, rebuild, topo } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { inputOp } from "../../ir/ops/index.ts";
import type { AieMachine } from "../../targets/aie-machine.ts";
import { findStatic } from "../statics.ts";
import type { SupportTable } from "../support.ts";
import type { AieLowering, AieMatch } from "./kernel.ts";

export interface HostStep {
  readonly kind: "host";
  /** Inputs and outputs are values of the partition, in the same order as here. */
  readonly graph: Graph;
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
}

export interface KernelStep extends AieMatch {
  readonly kind: "kernel";
  readonly result: Node;
}

export type Step = HostStep | KernelStep;

export interface Partition {
  readonly steps: readonly Step[];
  /** Nodes that the array could have run in other sizes, with the reason why it does not. */
  readonly declined: readonly { readonly node: Node; readonly reason: string }[];
}

/** Even stages run on the host, odd ones on the array. */
type Stage = number;

/** @throws HeddleError for a kernel that reads what it may not: a value behind itself. */
export function partition(g: Graph, support: SupportTable<AieLowering>, machine: AieMachine): Partition {
  const known = findStatic(g);
  const given = new Set(g.inputs);
  const isComputed = (n: Node): boolean => !known.has(n) && !given.has(n);
  const { matches, needed, declined } = choose(g, support, machine, isComputed);

  const stages = new Map<Node, Stage>();
  const order = topo(g).filter((n) => needed.has(n));
  for (const n of order) {
    const match = matches.get(n);
    const from = (match?.operands ?? n.inputs).filter(isComputed);
    let stage = match ? 1 : 0;
    for (const i of from) {
      const before = stages.get(i);
      if (before === undefined)
        throw new HeddleError(
          `the kernel ${match?.kernel.name} reads ${describe(i)}, which is not computed before it`,
          {
            subject: describe(n),
            loc: n.loc,
          },
        );
      stage = Math.max(stage, before % 2 === (match ? 1 : 0) ? before : before + 1);
    }
    stages.set(n, stage);
  }

  const last = Math.max(-1, ...stages.values());
  const steps: Step[] = [];
  for (let stage = 0; stage <= last; stage++) {
    const members = order.filter((n) => stages.get(n) === stage);
    if (stage % 2 === 1) for (const n of members) steps.push({ kind: "kernel", result: n, ...matches.get(n)! });
    else if (members.length) steps.push(hostStep(g, members, wantedLater(g, members, order, matches), isComputed));
  }
  return { steps, declined };
}

/** Walks from the results back, so that what a kernel has taken in is not asked for again. */
function choose(g: Graph, support: SupportTable<AieLowering>, machine: AieMachine, isComputed: (n: Node) => boolean) {
  const table = support as Readonly<Record<string, unknown>>;
  const matches = new Map<Node, AieMatch>();
  const needed = new Set([...g.outputs, ...g.state.map((s) => s.next)].filter(isComputed));
  const declined: { node: Node; reason: string }[] = [];
  for (const n of topo(g).reverse()) {
    if (!needed.has(n)) continue;
    const how = table[n.op.name] as AieLowering | string | undefined;
    const made = typeof how === "object" && "kernel" in how ? how.kernel(n, machine) : undefined;
    if (made && "host" in made) declined.push({ node: n, reason: made.host });
    const match = made && "kernel" in made ? made : undefined;
    if (match) matches.set(n, match);
    for (const i of match?.operands ?? n.inputs) if (isComputed(i)) needed.add(i);
  }
  return { matches, needed, declined: declined.reverse() };
}

/** Which of these nodes others need after their step has run. */
function wantedLater(g: Graph, members: readonly Node[], order: readonly Node[], matches: ReadonlyMap<Node, AieMatch>) {
  const own = new Set(members);
  const wanted = new Set<Node>(g.outputs);
  for (const n of order)
    if (!own.has(n) || matches.has(n)) for (const i of matches.get(n)?.operands ?? n.inputs) wanted.add(i);
  // A cache that was appended to is its input's memory: nobody copies it out.
  const states = new Set(g.state.map((s) => s.next));
  return members.filter((n) => wanted.has(n) && !states.has(n));
}

/** A graph of its own for some nodes, in their order: what comes from other steps becomes an input of the same name and type. */
function hostStep(
  g: Graph,
  members: readonly Node[],
  outputs: readonly Node[],
  isComputed: (n: Node) => boolean,
): HostStep {
  const caches = new Map(g.state.map((s) => [s.next, s.cache]));
  const inputs: Node[] = [];
  const made = new Map<Node, Node>();
  const outside = (n: Node): Node => {
    const source = caches.get(n) ?? n;
    const isWeight = !isComputed(source) && source.op !== inputOp;
    const found = isWeight ? source : made.get(source);
    if (found) return found;
    inputs.push(source);
    const { dtype, shape } = source.type;
    const port =
      source.op === inputOp ? source : inputOp.build([], { dtype, shape }, { name: source.name, loc: source.loc });
    made.set(source, port);
    return port;
  };
  const resolve = (n: Node): Node => made.get(n) ?? outside(n);
  for (const n of members) made.set(n, rebuild(n, n.inputs.map(resolve)));
  const own = new Set(members);
  const state = g.state.filter((s) => own.has(s.next)).map((s) => ({ cache: resolve(s.cache), next: resolve(s.next) }));
  const results = { inputs: inputs.map(resolve), outputs: outputs.map(resolve), state };
  return { kind: "host", graph: makeGraph(g.name, results), inputs, outputs };
}
