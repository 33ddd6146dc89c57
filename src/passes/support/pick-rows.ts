import type { Graph } from "../../ir/graph.ts";
import { type Node, renamed } from "../../ir/node.ts";
import { gather } from "../../ir/ops/index.ts";
import { v } from "../../ir/pattern.ts";
import { rewrite, rule, skip } from "../../ir/rewrite.ts";
import { isFloat, sameType } from "../../ir/type.ts";
import { rowOperands } from "./rows.ts";
import { isStatic } from "./static.ts";

/** x[rows] along an axis, in the type of x. */
export const pickRows = (x: Node, rows: Node, axis: number): Node =>
  gather(x, rows, isFloat(x.type.dtype) ? { axis, dtype: x.type.dtype } : { axis });

// f(x)[rows] = f(x[rows]) for every f that treats rows apart.
export const pickBefore = rule(
  "pick-rows-before",
  gather.pat(v("y"), v("rows")).as("pick"),
  ({ y, rows, pick }, uses) => {
    // Of a table that is stored, rows are looked up: computed from rows of another they would be computed at every run.
    if (pick.attrs.axis !== 0 || isStatic(y)) return pick;
    // A pick may widen what it reads; what it is moved in front of would then be computed in another type.
    const carrying = pick.type.dtype === y.type.dtype ? rowOperands(y) : undefined;
    if (!carrying) return pick;
    // Of a single row there is only that one to pick.
    if (!carrying.length) return sameType(y.type, pick.type) ? y : pick;
    if (uses.count(y) > 1) return skip(`${y.op.name} is needed in other rows too`);
    // The picked rows of a value are called what the value is called: most often nothing else of it remains.
    const picked = (x: Node): Node => renamed(pickRows(x, rows, 0), { name: x.name, loc: x.loc });
    return y.op.build(
      y.inputs.map((x, i) => (carrying.includes(i) ? picked(x) : x)),
      y.attrs,
      y,
    );
  },
);

/**
 * Picks rows as early as possible, so that what nobody looks at is not computed. Equal picks must merge before a value read
 * by two of them counts as read by one, and the rewriter merges when it is done: so it runs until it finds nothing more.
 */
export function pickRowsEarly(graph: Graph): { graph: Graph; hits: number } {
  let hits = 0;
  for (;;) {
    const swept = rewrite(graph, [pickBefore]);
    const found = swept.hits.get(pickBefore.name) ?? 0;
    if (!found) return { graph: swept.graph, hits };
    hits += found;
    graph = swept.graph;
  }
}
