/**
 * Rules and the rewriter. A rule is a pattern and a function from its captures to a replacement, or to the reason why it
 * declines; the rewriter applies a list of rules to a fixed point, merges common subexpressions, and keeps names.
 */
import { showAttrs } from "./attr.ts";
import { HeddleError } from "./error.ts";
import { countUses, type Graph, mapGraph, usersOf } from "./graph.ts";
import { describe, type Node, renamed } from "./node.ts";
import { withOrigin } from "./origin.ts";
import { type Captures, match, type Pat } from "./pattern.ts";
import { sameType, showType } from "./type.ts";

/** Why a rule declined a match. Shown as a near miss in dumps. */
export interface Skip {
  readonly skip: string;
}
export const skip = (reason: string): Skip => ({ skip: reason });

export interface Uses {
  /**
   * Users of a value in the graph as it was before this sweep; outputs and state updates count. A value that has replaced others
   * since has their users too, which may be one too many: what is declined for that is tried again in the next sweep.
   */
  count(n: Node): number;
  /** The nodes that take it as an operand, once each, as they were before this sweep. */
  of(n: Node): readonly Node[];
}

export interface Rule {
  readonly name: string;
  readonly match: Pat<unknown>;
  apply(captures: Captures, uses: Uses): Node | Skip;
}

/** A local rewrite. State the algebra that it relies on in a comment above it. */
export const rule = <C>(name: string, pattern: Pat<C>, apply: (captures: C, uses: Uses) => Node | Skip): Rule => ({
  name,
  match: pattern,
  apply: apply as Rule["apply"],
});

export interface Miss {
  readonly rule: string;
  readonly node: Node;
  readonly reason: string;
}
export interface Rewritten {
  readonly graph: Graph;
  readonly hits: ReadonlyMap<string, number>;
  readonly misses: readonly Miss[];
}

/** Sweeps needed at most; a rule set that still changes something after that many does not terminate. */
const maxSweeps = 100;

/** Applies rules, first match wins, operands before users, until nothing matches. The type of a value never changes. */
export function rewrite(g: Graph, rules: readonly Rule[]): Rewritten {
  const hits = new Map<string, number>(rules.map((r) => [r.name, 0]));
  let misses: Miss[] = [];
  for (let sweep = 0; ; sweep++) {
    if (sweep === maxSweeps)
      throw new HeddleError(
        `rules ${rules.map((r) => r.name).join(", ")} still change the graph after ${maxSweeps} sweeps`,
      );
    misses = [];
    const counts = countUses(g);
    const users = usersOf(g);
    // What a value stands for in the graph as it was: itself, rebuilt or not, and all that was replaced by it in this sweep.
    const origins = new Map<Node, Node[]>();
    const standsFor = (n: Node, original: Node) => origins.set(n, [...(origins.get(n) ?? []), original]);
    const originsOf = (n: Node): readonly Node[] => origins.get(n) ?? [n];
    const uses: Uses = {
      count: (n) => originsOf(n).reduce((sum, o) => sum + (counts.get(o) ?? 0), 0),
      of: (n) => [...new Set(originsOf(n).flatMap((o) => users.get(o) ?? []))],
    };
    let changed = false;
    const next = mapGraph(g, (n, original) => {
      standsFor(n, original);
      for (const r of rules) {
        // Most rules fail at the root: not worth a match.
        if (r.match.op && r.match.op !== n.op) continue;
        const captures = match(r.match, n);
        if (!captures) continue;
        const out = applyRule(r, captures, uses, n, (x) => origins.has(x));
        if ("skip" in out) {
          misses.push({ rule: r.name, node: n, reason: out.skip });
        } else if (out !== n) {
          hits.set(r.name, hits.get(r.name)! + 1);
          changed = true;
          standsFor(out, original);
          return out;
        }
      }
      return n;
    });
    if (!changed) return { graph: mergeCommon(next), hits, misses };
    g = next;
  }
}

function applyRule(r: Rule, captures: Captures, uses: Uses, n: Node, isOld: (x: Node) => boolean): Node | Skip {
  let out: Node | Skip;
  try {
    out = withOrigin({ name: n.name, loc: n.loc }, () => r.apply(captures, uses));
  } catch (e) {
    const reason = e instanceof HeddleError ? e.message : e instanceof Error ? (e.stack ?? e.message) : String(e);
    const error = new HeddleError(`rule ${r.name} failed: ${reason}`, { subject: describe(n), loc: n.loc });
    error.cause = e;
    throw error;
  }
  if ("skip" in out) return out;
  if (!sameType(out.type, n.type))
    throw new HeddleError(
      `rule ${r.name} would change its type from ${showType(n.type)} to ${showType(out.type)}; a rewrite keeps the type`,
      { subject: describe(n), loc: n.loc },
    );
  return isOld(out) ? out : renamed(out, { name: n.name, loc: n.loc });
}

/** Merges nodes that compute the same value from the same operands. The first one keeps its name. */
export function mergeCommon(g: Graph): Graph {
  const ids = new Map<Node, number>();
  const known = new Map<string, Node>();
  const inputs = new Set(g.inputs);
  return mapGraph(g, (n) => {
    const key = inputs.has(n)
      ? `input ${g.inputs.indexOf(n)}`
      : `${n.op.name}(${n.inputs.map((i) => ids.get(i)).join(",")})${showAttrs(n.op.attrs, n.attrs)}${showType(n.type)}`;
    const same = known.get(key) ?? n;
    known.set(key, same);
    if (!ids.has(same)) ids.set(same, ids.size);
    return same;
  });
}
