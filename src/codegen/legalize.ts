/** Brings a bound graph to ops that a target has: local rewrites, then expansion of what is left, until both are done. */
import { HeddleError } from "../ir/error.ts";
import { type Graph, mapGraph, topo } from "../ir/graph.ts";
import { describe, type Node, renamed } from "../ir/node.ts";
import { type Rule, rewrite } from "../ir/rewrite.ts";
import { showType } from "../ir/type.ts";
import { findStatic } from "./statics.ts";
import { isUnsupported, type SupportTable, type Unsupported } from "./support.ts";

export interface Legality<L> {
  /** What errors call the target: `QNN (qti.aisw)`. */
  readonly target: string;
  readonly support: SupportTable<L>;
  /** Rewrites that suit the target better than an expansion does. */
  readonly rules: readonly Rule[];
}

/** Levels of composites within composites; more means an expansion that yields itself. */
const maxDepth = 32;

/**
 * Weight expressions are left alone: they are computed at compile time.
 * @throws HeddleError naming op, types and line of an op that the target refuses.
 */
export function legalize<L>(g: Graph, { target, support, rules }: Legality<L>): Graph {
  const table = support as Readonly<Record<string, SupportTable<L>[keyof SupportTable<L>]>>;
  for (let depth = 0; depth < maxDepth; depth++) {
    g = rewrite(g, rules).graph;
    const known = findStatic(g);
    const before = new Set(topo(g));
    const next = mapGraph(g, (n, original) => {
      if (known.has(original)) return n;
      const how = table[n.op.name];
      if (how === undefined) return refuse(n, target);
      if (isUnsupported(how)) return refuse(n, target, how);
      return how === "expand" ? expand(n, target, before) : n;
    });
    if (next === g) return g;
    g = next;
  }
  throw new HeddleError(`composites still expand after ${maxDepth} levels: one of them expands to itself`, {
    subject: g.name,
  });
}

function expand(n: Node, target: string, before: ReadonlySet<Node>): Node {
  if (!n.op.composite) return refuse(n, target);
  const out = n.op.expand(n);
  return before.has(out) || n.inputs.includes(out) ? out : renamed(out, { name: n.name, loc: n.loc });
}

function refuse(n: Node, target: string, why?: Unsupported): never {
  const types = `${n.inputs.map((i) => showType(i.type)).join(", ")} -> ${showType(n.type)}`;
  throw new HeddleError(`${target} cannot run it: ${why?.unsupported ?? "the target has no such op"} (${types})`, {
    subject: describe(n),
    loc: n.loc,
    hint: why?.hint ?? "write it in other ops, or compile for another target (--target)",
  });
}
