/** Custom syntax of the dialects func and scf. */
import type { Attr } from "../attribute.ts";
import type { Value } from "../op.ts";
import type { Parser, Syntaxes } from "../parser.ts";
import { int, type Type } from "../type.ts";

/** `: t, t` after values, which must agree. */
const typed = (p: Parser, values: readonly Value[]): void => {
  if (values.length === 0) return;
  p.in.need(":");
  for (const [i, v] of values.entries()) {
    if (i > 0) p.in.need(",");
    p.agree(v, p.type());
  }
};

const yields = (p: Parser) => {
  const operands = p.uses();
  typed(p, operands);
  return { operands };
};

/** `(%a = %x, %b = %y) -> (t, t)`: the values that a loop carries. */
const carried = (p: Parser): { initial: Value[]; args: Value[] } => {
  const pairs: { name: string; initial: Value }[] = [];
  p.in.need("(");
  p.in.list(")", () => {
    const [, name] = p.in.take(/%([\w$.-]+)/, "a value");
    p.in.need("=");
    pairs.push({ name: `%${name}`, initial: p.use() });
  });
  p.in.need("->");
  const types = p.results();
  if (types.length !== pairs.length) p.in.fail(`${pairs.length} values are carried, but ${types.length} types given`);
  const loc = p.in.loc();
  return {
    initial: pairs.map(({ initial }, i) => p.agree(initial, types[i]!)),
    args: pairs.map(({ name }, i) => ({ name, type: types[i]!, loc, definition: undefined })),
  };
};

export const control: Syntaxes = {
  "scf.for": (p) => {
    const loc = p.in.loc();
    const [, name] = p.in.take(/%([\w$.-]+)/, "the loop's variable");
    p.in.need("=");
    const from = p.use();
    p.in.take(/to\b/, "to");
    const to = p.use(from.type);
    p.in.take(/step\b/, "step");
    const step = p.use(from.type);
    const { initial, args } = p.in.try(/iter_args\b/) ? carried(p) : { initial: [], args: [] };
    if (p.in.has(":")) p.agree(from, p.type());
    const variable: Value = { name: `%${name}`, type: from.type, loc, definition: undefined };
    const region = p.region([variable, ...args]);
    return {
      operands: [from, to, step, ...initial],
      results: initial.map((v) => v.type),
      regions: [region],
      attrs: p.attrDict(),
    };
  },
  "scf.if": (p) => {
    const condition = p.use(int(1));
    const results = p.in.has("->") ? p.results() : [];
    const yes = p.region();
    const no = p.in.try(/else\b/) ? [p.region()] : [[]];
    return { operands: [condition], results, regions: [yes, ...no] };
  },
  "scf.yield": yields,
  "func.func": (p) => {
    const visibility: Record<string, Attr> = p.in.try(/private\b/)
      ? { sym_visibility: { kind: "string", value: "private" } }
      : {};
    const sym_name: Attr = { kind: "string", value: p.symbol() };
    p.in.need("(");
    const args = p.in.list(")", () => p.argument());
    const results: Type[] = p.in.has("->") ? p.results() : [];
    if (p.in.try(/attributes\b/)) p.attrDict();
    const type: Type = { kind: "function", inputs: args.map((a) => a.type), results };
    return { attrs: { sym_name, ...visibility, function_type: { kind: "type", type } }, regions: [p.region(args)] };
  },
  "func.return": yields,
  "func.call": (p) => {
    const callee: Attr = { kind: "symbol", name: p.symbol() };
    p.in.need("(");
    const operands = p.in.list(")", () => p.use());
    p.in.need(":");
    const at = p.in.position;
    const type = p.type();
    if (type.kind !== "function" || type.inputs.length !== operands.length)
      return p.in.fail("the type of the call does not fit its operands", at);
    operands.forEach((o, i) => void p.agree(o, type.inputs[i]!, at));
    return { operands, attrs: { callee }, results: type.results };
  },
};
