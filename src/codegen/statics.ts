/** Weight expressions: the parts of a graph that depend on weights and constants alone, and so are computed at compile time. */
import { showAttrs } from "../ir/attr.ts";
import { type Graph, topo } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";

/** All nodes of a graph whose value is known at compile time: every leaf below them is a `param`, `constant` or `iota`. */
export function findStatic(g: Graph): ReadonlySet<Node> {
  const inputs = new Set(g.inputs);
  const found = new Set<Node>();
  for (const n of topo(g))
    if (!inputs.has(n) && n.op.name !== "input" && n.inputs.every((i) => found.has(i))) found.add(n);
  return found;
}

/**
 * Numbers nodes by what they compute: two nodes get the same number exactly when they apply the same op to the same operands.
 * Entry points are bound and legalised one by one; this is how they find out that they share a weight.
 */
export class Interner {
  readonly #numbers = new WeakMap<Node, number>();
  readonly #known = new Map<string, number>();

  /** Text of each number: op, operand numbers, attributes. Independent of names and locations. */
  readonly text: string[] = [];

  number(root: Node): number {
    const stack = [root];
    while (stack.length) {
      const n = stack.at(-1)!;
      const missing = n.inputs.filter((i) => !this.#numbers.has(i));
      if (this.#numbers.has(n) || missing.length === 0) {
        stack.pop();
        if (!this.#numbers.has(n)) this.#numbers.set(n, this.#intern(n));
      } else stack.push(...missing);
    }
    return this.#numbers.get(root)!;
  }

  #intern(n: Node): number {
    // Not JSON, to which both infinities are null.
    const key = `${n.op.name}(${n.inputs.map((i) => this.#numbers.get(i)).join(",")})${showAttrs(n.op.attrs, n.attrs)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.text.length);
    return this.text.push(key) - 1;
  }
}
