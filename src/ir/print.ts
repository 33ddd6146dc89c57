/** Graphs as text: one op per line, type always, attributes in declared order. `parse` reads it back. */
import { showAttrs } from "./attr.ts";
import { type Graph, topo } from "./graph.ts";
import type { Node } from "./node.ts";
import { type Sym, showType } from "./type.ts";

/** A name for every node: its own, or its op's; a second one of the same name gets `.1`, a third `.2`. */
export function nodeNames(g: Graph): Map<Node, string> {
  const names = new Map<Node, string>();
  const taken = new Set<string>();
  const order = topo(g);
  for (const n of [...order.filter((x) => x.name !== undefined), ...order.filter((x) => x.name === undefined)]) {
    const base = n.name ?? n.op.name;
    let name = base;
    for (let i = 1; taken.has(name); i++) name = `${base}.${i}`;
    taken.add(name);
    names.set(n, name);
  }
  return names;
}

/** Symbols used by a graph, in order of first use. */
export function symbols(g: Graph): Sym[] {
  const found = new Map<string, Sym>();
  for (const n of topo(g))
    for (const d of n.type.shape) if (typeof d !== "number" && !found.has(d.sym)) found.set(d.sym, d);
  return [...found.values()];
}

/**
 * ```
 * graph @gpt2<T in 1..1024>(%tokens: i32[T]) {
 *   %wte = param {name="wte.weight"} : f32[50257x768]
 *   %x = gather(%wte, %tokens) {axis=0} : f32[Tx768]
 *   return %x
 * }
 * ```
 * State is a line `state %cache <- %next`.
 */
export function print(g: Graph): string {
  const names = nodeNames(g);
  const name = (n: Node) => `%${names.get(n)}`;
  const inputs = new Set(g.inputs);
  const syms = symbols(g).map((s) => `${s.sym} in ${s.min}..${s.max}`);
  const lines = topo(g)
    .filter((n) => !inputs.has(n))
    .map((n) => {
      const operands = n.inputs.length ? `(${n.inputs.map(name).join(", ")})` : "";
      return `  ${name(n)} = ${n.op.name}${operands}${printAttrs(n)} : ${showType(n.type)}`;
    });
  const header = `graph @${g.name}${syms.length ? `<${syms.join(", ")}>` : ""}`;
  const args = g.inputs.map((n) => `${name(n)}: ${showType(n.type)}`).join(", ");
  const state = g.state.map((s) => `  state ${name(s.cache)} <- ${name(s.next)}`);
  return `${[`${header}(${args}) {`, ...lines, ...state, `  return ${g.outputs.map(name).join(", ")}`, "}"].join("\n")}\n`;
}

/** A leaf (`param`, `constant`) repeats its type in its attributes `dtype` and `shape`; the text has it once. */
export const isTyped = (n: Pick<Node, "op">): boolean =>
  "dtype" in n.op.attrs && "shape" in n.op.attrs && n.op.inputs.length === 0;

function printAttrs(n: Node): string {
  if (!isTyped(n)) return showAttrs(n.op.attrs, n.attrs);
  const { dtype: _d, shape: _s, ...rest } = n.op.attrs;
  return showAttrs(rest, n.attrs);
}
