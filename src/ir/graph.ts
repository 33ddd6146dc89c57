/** Graphs: an immutable DAG of nodes with explicit, ordered inputs, outputs and state. Those three are its ABI. */
import type { Attrs, AttrValue } from "./attr.ts";
import { HeddleError } from "./error.ts";
import { describe, type Node } from "./node.ts";
import type { Dim } from "./type.ts";

/** A cache that outlives a run: what `next` yields is what input `cache` holds at the next run. */
export interface State {
  readonly cache: Node;
  readonly next: Node;
}

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Node[];
  readonly outputs: readonly Node[];
  readonly state: readonly State[];
}

export const graph = (
  name: string,
  parts: { inputs: readonly Node[]; outputs: readonly Node[]; state?: readonly State[] },
): Graph => Object.freeze({ name, inputs: parts.inputs, outputs: parts.outputs, state: parts.state ?? [] });

/** The roots of a graph: everything that must be computed. */
export const roots = (g: Graph): readonly Node[] => [...g.inputs, ...g.outputs, ...g.state.map((s) => s.next)];

/** All nodes, operands before users, in the order in which the outputs ask for them. Iterative: depth is not limited. */
export const topo = (g: Graph): Node[] => topoFrom(roots(g));

/** What `from` is computed from, operands before users; `known` values and what lies behind them are left out. */
export function topoFrom(from: readonly Node[], known: Iterable<Node> = []): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>(known);
  const stack: [Node, number][] = [];
  for (const root of from) {
    if (seen.has(root)) continue;
    seen.add(root);
    stack.push([root, 0]);
    while (stack.length) {
      const top = stack.at(-1)!;
      const [node, next] = top;
      const operand = node.inputs[next];
      if (!operand) {
        order.push(node);
        stack.pop();
      } else {
        top[1]++;
        if (!seen.has(operand)) {
          seen.add(operand);
          stack.push([operand, 0]);
        }
      }
    }
  }
  return order;
}

/** How often each node is used, as an operand, an output or a state update. */
export function countUses(g: Graph): Map<Node, number> {
  const uses = new Map<Node, number>();
  const use = (n: Node) => uses.set(n, (uses.get(n) ?? 0) + 1);
  for (const n of topo(g)) n.inputs.forEach(use);
  g.outputs.forEach(use);
  for (const s of g.state) use(s.next);
  return uses;
}

/** The nodes that take each node as an operand, once each, in order. */
export function usersOf(g: Graph): Map<Node, Node[]> {
  const users = new Map<Node, Node[]>();
  for (const n of topo(g))
    for (const i of new Set(n.inputs)) {
      const known = users.get(i);
      if (known) known.push(n);
      else users.set(i, [n]);
    }
  return users;
}

/** Rebuilds a node on other operands or attributes, keeping its name and location; the same node where nothing changed. */
export function rebuild(n: Node, inputs: readonly Node[], attrs: Attrs = n.attrs): Node {
  if (attrs === n.attrs && inputs.every((x, i) => x === n.inputs[i])) return n;
  return n.op.build(inputs, attrs, { name: n.name, loc: n.loc });
}

/**
 * Replaces nodes bottom-up: `visit` gets each node on its new operands. Returns the graph itself where nothing changed.
 * `attrsOf` changes attributes together with the operands, where one without the other would not be well-typed.
 */
export function mapGraph(
  g: Graph,
  visit: (n: Node, original: Node) => Node,
  attrsOf: (n: Node) => Attrs = (n) => n.attrs,
): Graph {
  const done = new Map<Node, Node>();
  const to = (n: Node): Node => done.get(n)!;
  for (const n of topo(g)) done.set(n, visit(rebuild(n, n.inputs.map(to), attrsOf(n)), n));
  if ([...done].every(([a, b]) => a === b)) return g;
  return graph(g.name, {
    inputs: g.inputs.map(to),
    outputs: g.outputs.map(to),
    state: g.state.map((s) => ({ cache: to(s.cache), next: to(s.next) })),
  });
}

/**
 * Gives numbers to symbols: `bind(g, { T: 128 }, "prefill")`. Types are inferred again from the inputs down.
 * @throws HeddleError where a number is outside the symbol's range.
 */
export function bind(g: Graph, sizes: Readonly<Record<string, number>>, name = g.name): Graph {
  const one = (d: Dim, n: Node): Dim => {
    if (typeof d === "number") return d;
    const size = sizes[d.sym];
    if (size === undefined) return d;
    if (size < d.min || size > d.max)
      throw new HeddleError(`${d.sym} = ${size} is outside ${d.min}..${d.max}`, { subject: describe(n), loc: n.loc });
    return size;
  };
  const attrsOf = (n: Node): Attrs => {
    const bound: Record<string, AttrValue> = {};
    for (const [key, value] of Object.entries(n.attrs)) {
      const { kind } = n.op.attrs[key]!;
      if (kind === "dim") bound[key] = one(value as Dim, n);
      if (kind === "dims") bound[key] = (value as readonly Dim[]).map((d) => one(d, n));
    }
    const same = Object.entries(bound).every(([key, value]) => JSON.stringify(value) === JSON.stringify(n.attrs[key]));
    return same ? n.attrs : { ...n.attrs, ...bound };
  };
  const bound = mapGraph(g, (n) => n, attrsOf);
  return graph(name, bound);
}
