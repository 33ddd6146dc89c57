import { type Graph, topo } from "../../ir/graph.ts";
import type { Node } from "../../ir/node.ts";
import { inputOp } from "../../ir/ops/input.ts";

const known = new WeakMap<Node, boolean>();

/** True for a weight expression: a value that depends on no input of the graph, so it is computed when weights are written. */
export function isStatic(n: Node): boolean {
  let answer = known.get(n);
  if (answer === undefined) {
    answer = n.op !== inputOp && n.inputs.every(isStatic);
    known.set(n, answer);
  }
  return answer;
}

/** How many ops run at each execution: inputs and weight expressions do not count. */
export const liveOps = (g: Graph): number => topo(g).filter((n) => n.op !== inputOp && !isStatic(n)).length;
