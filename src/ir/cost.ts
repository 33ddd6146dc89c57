/**
 * What nodes and graphs cost: arithmetic, and the bytes that cross memory by what they hold. Roofline arithmetic, for people
 * and for passes that weigh a fusion; it says nothing of a particular machine.
 */
import { rethrow } from "./error.ts";
import { type Graph, topo, topoFrom } from "./graph.ts";
import { describe, type Node } from "./node.ts";
import { bytesOf } from "./type.ts";

export interface GraphCost {
  /** Arithmetic operations; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes of weights read: of a weight expression, the tensor that it yields, not what it is computed from. */
  readonly weightBytes: number;
  /** Bytes of all other values, read and written. */
  readonly activationBytes: number;
  /** Bytes of caches, read and written. */
  readonly cacheBytes: number;
}

/**
 * The cost of each node that is computed when the graph runs, operands before users. Operands and result cross memory once
 * whatever a composite does inside: it stands for one kernel. Weight expressions are computed at compile time and free.
 * @throws HeddleError where a symbol is not bound.
 */
export function nodeCosts(g: Graph): Map<Node, GraphCost> {
  const order = topo(g);
  const weights = findWeights(order);
  const caches = new Set<Node>(g.state.map((s) => s.cache));
  for (const n of order) if (n.op.name === "kvAppend") caches.add(n);
  const kind = (n: Node) => (weights.has(n) ? "weightBytes" : caches.has(n) ? "cacheBytes" : "activationBytes");
  return new Map(order.filter((n) => n.op.name !== "input" && !weights.has(n)).map((n) => [n, nodeCost(n, kind)]));
}

/** The sum over all nodes. @throws HeddleError where a symbol is not bound. */
export function costOf(g: Graph): GraphCost {
  const sum = { flops: 0, weightBytes: 0, activationBytes: 0, cacheBytes: 0 };
  for (const cost of nodeCosts(g).values())
    for (const key of Object.keys(sum) as (keyof GraphCost)[]) sum[key] += cost[key];
  return sum;
}

/** Values that are known before the graph runs. */
function findWeights(order: readonly Node[]): ReadonlySet<Node> {
  const weights = new Set<Node>();
  for (const n of order) if (n.op.name !== "input" && n.inputs.every((i) => weights.has(i))) weights.add(n);
  return weights;
}

function nodeCost(n: Node, kind: (n: Node) => "weightBytes" | "cacheBytes" | "activationBytes"): GraphCost {
  try {
    const own = n.op.cost?.(
      n.inputs.map((i) => i.type),
      n.attrs,
      n.type,
    );
    const cost = { flops: own?.flops ?? expandedFlops(n), weightBytes: 0, activationBytes: 0, cacheBytes: 0 };
    n.inputs.forEach((x, i) => {
      if (n.inputs.indexOf(x) === i) cost[kind(x)] += own?.reads?.[i] ?? bytesOf(x.type);
    });
    cost[kind(n)] += own?.writes ?? bytesOf(n.type);
    return cost;
  } catch (e) {
    return rethrow(e, { subject: describe(n), loc: n.loc });
  }
}

/** A composite that does not say what it costs does what its expansion does. */
function expandedFlops(n: Node): number {
  if (!n.op.composite) return 0;
  const flops = (m: Node) =>
    m.op.cost?.(
      m.inputs.map((i) => i.type),
      m.attrs,
      m.type,
    ).flops ?? expandedFlops(m);
  return topoFrom([n.op.expand(n)], n.inputs).reduce((sum, m) => sum + flops(m), 0);
}
