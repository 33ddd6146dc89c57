/** Custom syntax of the dialects arith and math: most ops are `%a, %b : type` or `%a : type to type`. */
import type { Parser, Syntax, Syntaxes } from "../parser.ts";
import { int, type Type } from "../type.ts";

/** Flags that change no value here: `fastmath<...>`, `overflow<...>`. */
const flags = (p: Parser): void => {
  p.in.try(/(?:fastmath|overflow)<[^>]*>/);
};

/** `%a, %b : type`. */
const same =
  (operands: number): Syntax =>
  (p) => {
    const values = [p.use()];
    for (let i = 1; i < operands; i++) {
      p.in.need(",");
      values.push(p.use());
    }
    flags(p);
    const attrs = p.attrDict();
    p.in.need(":");
    const type = p.type();
    for (const v of values) p.agree(v, type);
    return { operands: values, attrs, results: [type] };
  };

/** `%a : type to type`. */
const cast: Syntax = (p) => {
  const value = p.use();
  flags(p);
  const attrs = p.attrDict();
  p.in.need(":");
  p.agree(value, p.type());
  p.in.take(/to\b/, "to");
  return { operands: [value], attrs, results: [p.type()] };
};

/** i1, or a vector of them. */
const truth = (t: Type): Type => (t.kind === "vector" ? { ...t, element: int(1) } : int(1));

const compare =
  (predicates: readonly string[]): Syntax =>
  (p) => {
    const at = p.in.position;
    const predicate = predicates.indexOf(p.in.take(/\w+/, "a predicate")[0]);
    if (predicate < 0) p.in.fail(`expected one of ${predicates.join(", ")}`, at);
    p.in.need(",");
    const { operands, results } = same(2)(p, { name: "", loc: p.in.loc() });
    return {
      operands: operands!,
      attrs: { predicate: { kind: "int", value: predicate, type: int(64) } },
      results: [truth(results![0]!)],
    };
  };

/** Predicates in the order of their numbers. */
export const integerPredicates = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"] as const;
export const floatPredicates = [
  ...["false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"],
  ...["ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"],
] as const;

const binary = [
  ...["addi", "subi", "muli", "divsi", "divui", "remsi", "remui", "floordivsi", "ceildivsi"],
  ...["andi", "ori", "xori", "shli", "shrsi", "shrui", "maxsi", "minsi", "maxui", "minui"],
  ...["addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf"],
];
const casts = [
  ...["extf", "truncf", "extsi", "extui", "trunci", "sitofp", "uitofp", "fptosi", "fptoui"],
  ...["index_cast", "index_castui", "bitcast"],
];
const unary = ["exp", "exp2", "rsqrt", "sqrt", "tanh", "erf", "log", "absf", "absi", "floor", "ceil"];

const table = (dialect: string, names: readonly string[], syntax: Syntax): Syntaxes =>
  Object.fromEntries(names.map((n) => [`${dialect}.${n}`, syntax]));

export const arith: Syntaxes = {
  ...table("arith", binary, same(2)),
  ...table("arith", casts, cast),
  ...table("math", unary, same(1)),
  "arith.negf": same(1),
  "math.fma": same(3),
  "arith.constant": (p) => {
    const value = p.attr();
    if (value.kind === "bool")
      return { attrs: { value: { kind: "int", value: +value.value, type: int(1) } }, results: [int(1)] };
    if (value.kind !== "int" && value.kind !== "float" && value.kind !== "dense")
      return p.in.fail("expected a number or dense<...> with its type");
    return { attrs: { value }, results: [value.type] };
  },
  "arith.cmpi": compare(integerPredicates),
  "arith.cmpf": compare(floatPredicates),
  "arith.select": (p) => {
    const condition = p.use();
    p.in.need(",");
    const yes = p.use();
    p.in.need(",");
    const no = p.use();
    p.in.need(":");
    let type = p.type();
    // With a vector of conditions its type comes first.
    if (p.in.has(",")) {
      p.agree(condition, type);
      type = p.type();
    } else p.agree(condition, int(1));
    return { operands: [condition, p.agree(yes, type), p.agree(no, type)], results: [type] };
  },
};
