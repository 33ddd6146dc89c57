/** What must hold of every graph, whoever made it. The pass runner checks it before and after each pass. */
import { type Context, HeddleError } from "./error.ts";
import { type Graph, topo } from "./graph.ts";
import { describe, type Node } from "./node.ts";
import { type Sym, sameType, showType } from "./type.ts";

/** A name of the text format: no white space and none of its punctuation. */
const validName = /^[^\s(),:{}[\]<>=%@"]+$/;
/** `x` separates sizes in the text of a shape, so it cannot be part of one. */
const validSymbol = /^[A-Za-z_]\w*$/;

/**
 * Everything that is wrong with a graph; empty for a sound one. Checked: it is a DAG of nodes as `defineOp` builds them,
 * with the types that inference gives; the inputs are input ops with names of their own, and no other input is read; a weight
 * has one type; a state update is a `kvAppend` to the very cache that it replaces, of the same type; a symbol has one range;
 * names can be printed.
 */
export function problems(g: Graph): HeddleError[] {
  const found: HeddleError[] = [];
  const where = `graph @${g.name}`;
  const report = (reason: string, context: Context = { subject: where }) =>
    found.push(new HeddleError(reason, context));
  const at = (n: Node): Context => ({ subject: describe(n), loc: n.loc });

  if (!validName.test(g.name)) report(`its name ${JSON.stringify(g.name)} has white space or punctuation`);
  if (!g.outputs.length) report("has no outputs: nothing would be computed");
  const order = topo(g);
  const cycle = findCycle(order);
  if (cycle) {
    report("depends on itself: the graph has a cycle", at(cycle));
    return found;
  }

  const inputs = new Set(g.inputs);
  checkInputs(g, report, at);
  const symbols = new Map<string, { sym: Sym; node: Node }>();
  const params = new Map<unknown, Node>();
  for (const n of order) {
    if (n.op.name === "param") checkParam(n, params, report, at);
    if (n.op.name === "input" && !inputs.has(n)) report("is read but is not among the inputs of the graph", at(n));
    if (n.name !== undefined && !validName.test(n.name))
      report(`its name ${JSON.stringify(n.name)} has white space or punctuation`, at(n));
    checkType(n, report, at);
    for (const d of n.type.shape) if (typeof d !== "number") checkSymbol(d, n, symbols, report, at);
  }
  checkState(g, report, at);
  return found;
}

/** @throws HeddleError with every problem, where there is one. */
export function verify(g: Graph): void {
  const found = problems(g);
  if (found.length === 1) throw found[0];
  if (found.length)
    throw new HeddleError(`${found.length} problems:${found.map((p) => `\n  ${p.message}`).join("")}`, {
      subject: `graph @${g.name}`,
    });
}

type Report = (reason: string, context?: Context) => void;
type At = (n: Node) => Context;

/** A node that comes before one of its own operands in any order depends on itself. */
function findCycle(order: readonly Node[]): Node | undefined {
  const place = new Map(order.map((n, i) => [n, i]));
  return order.find((n, i) => n.inputs.some((x) => place.get(x)! >= i));
}

function checkInputs(g: Graph, report: Report, at: At): void {
  const names = new Set<string>();
  for (const n of g.inputs) {
    if (n.op.name !== "input") report(`is among the inputs of the graph but is computed by ${n.op.name}`, at(n));
    else if (n.name === undefined) report("has no name: inputs are passed by name", at(n));
    else if (names.has(n.name)) report("has the name of another input", at(n));
    else names.add(n.name);
  }
}

/** The stored type must be what the op infers from its operands as they are. */
function checkType(n: Node, report: Report, at: At): void {
  try {
    const { type } = n.op.build(n.inputs, n.attrs, n);
    if (!sameType(type, n.type))
      report(`is stored as ${showType(n.type)} but its operands give ${showType(type)}`, at(n));
  } catch (e) {
    report(e instanceof HeddleError ? e.reason : String(e), at(n));
  }
}

/** A weight is read from the checkpoint by name: two params of one name are one tensor. */
function checkParam(n: Node, known: Map<unknown, Node>, report: Report, at: At): void {
  const first = known.get(n.attrs.name) ?? n;
  known.set(n.attrs.name, first);
  if (!sameType(first.type, n.type))
    report(
      `weight ${n.attrs.name} is ${showType(n.type)} here but ${showType(first.type)} in ${describe(first)}`,
      at(n),
    );
}

function checkSymbol(sym: Sym, node: Node, known: Map<string, { sym: Sym; node: Node }>, report: Report, at: At): void {
  const first = known.get(sym.sym);
  if (first) {
    if (first.sym.min !== sym.min || first.sym.max !== sym.max)
      report(
        `symbol ${sym.sym} is ${sym.min}..${sym.max} here but ${first.sym.min}..${first.sym.max} in ${describe(first.node)}`,
        at(node),
      );
    return;
  }
  known.set(sym.sym, { sym, node });
  if (!validSymbol.test(sym.sym) || sym.sym.includes("x"))
    report(`symbol ${JSON.stringify(sym.sym)} must be letters other than x, digits and _`, at(node));
  if (!(Number.isSafeInteger(sym.min) && Number.isSafeInteger(sym.max) && sym.min >= 0 && sym.min <= sym.max))
    report(`symbol ${sym.sym} has no values: ${sym.min}..${sym.max}`, at(node));
}

function checkState(g: Graph, report: Report, at: At): void {
  const caches = new Set<Node>();
  for (const { cache, next } of g.state) {
    if (!g.inputs.includes(cache)) report("is the cache of a state pair but not an input of the graph", at(cache));
    if (caches.has(cache)) report("is the cache of two state pairs", at(cache));
    caches.add(cache);
    if (next.op.name !== "kvAppend" || next.inputs[0] !== cache)
      report(`updates cache %${cache.name} but is not a kvAppend to it`, at(next));
    if (!sameType(cache.type, next.type))
      report(`updates cache %${cache.name} of type ${showType(cache.type)} with ${showType(next.type)}`, at(next));
  }
}
