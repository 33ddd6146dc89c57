/** Ops of arith and math on numbers and, lane by lane, on vectors. */
import type { Op, Value } from "../mlir/op.ts";
import { intAttr } from "../mlir/op.ts";
import { floatPredicates, integerPredicates } from "../mlir/syntax/arith.ts";
import { bitsOf, count, elementOf, type ScalarType } from "../mlir/type.ts";
import { type Emitter, isHalf, isVector, literal } from "./emitter.ts";

/** Brings an integer expression into the range of its type. */
const wrap = (e: string, t: ScalarType): string => {
  const bits = t.kind === "index" ? 64 : bitsOf(t);
  if (bits === 64) return e;
  if (bits === 32) return `(${e})|0`;
  return bits === 1 ? `(${e})&1` : `(${e})<<${32 - bits}>>${32 - bits}`;
};

/** The same bits read as unsigned. */
const unsigned = (e: string, t: ScalarType): string => {
  const bits = bitsOf(t);
  return bits >= 32 ? `(${e}>>>0)` : `(${e}&${2 ** bits - 1})`;
};

type Expression = (args: readonly string[], type: ScalarType) => string;

const integer: Readonly<Record<string, Expression>> = {
  addi: ([a, b], t) => wrap(`${a}+${b}`, t),
  subi: ([a, b], t) => wrap(`${a}-${b}`, t),
  muli: ([a, b], t) => (t.kind === "index" || bitsOf(t) === 64 ? `${a}*${b}` : wrap(`Math.imul(${a},${b})`, t)),
  divsi: ([a, b], t) => wrap(`Math.trunc(${a}/N(${b}))`, t),
  remsi: ([a, b], t) => wrap(`${a}%N(${b})`, t),
  divui: ([a, b], t) => wrap(`Math.floor(${unsigned(a!, t)}/N(${unsigned(b!, t)}))`, t),
  remui: ([a, b], t) => wrap(`${unsigned(a!, t)}%N(${unsigned(b!, t)})`, t),
  floordivsi: ([a, b], t) => wrap(`Math.floor(${a}/N(${b}))`, t),
  ceildivsi: ([a, b], t) => wrap(`Math.ceil(${a}/N(${b}))`, t),
  andi: ([a, b]) => `${a}&${b}`,
  ori: ([a, b]) => `${a}|${b}`,
  xori: ([a, b]) => `${a}^${b}`,
  shli: ([a, b], t) => wrap(`${a}<<${b}`, t),
  shrsi: ([a, b], t) => wrap(`${a}>>${b}`, t),
  shrui: ([a, b], t) => wrap(`${unsigned(a!, t)}>>>${b}`, t),
  maxsi: ([a, b]) => `Math.max(${a},${b})`,
  minsi: ([a, b]) => `Math.min(${a},${b})`,
  maxui: ([a, b], t) => wrap(`Math.max(${unsigned(a!, t)},${unsigned(b!, t)})`, t),
  minui: ([a, b], t) => wrap(`Math.min(${unsigned(a!, t)},${unsigned(b!, t)})`, t),
  absi: ([a], t) => wrap(`Math.abs(${a})`, t),
};

const float: Readonly<Record<string, Expression>> = {
  addf: ([a, b]) => `${a}+${b}`,
  subf: ([a, b]) => `${a}-${b}`,
  mulf: ([a, b]) => `${a}*${b}`,
  divf: ([a, b]) => `${a}/${b}`,
  negf: ([a]) => `-${a}`,
  // Math.max and Math.min agree with IEEE maximum and minimum, NaN and signed zeros included.
  maximumf: ([a, b]) => `Math.max(${a},${b})`,
  minimumf: ([a, b]) => `Math.min(${a},${b})`,
  maxnumf: ([a, b]) => `(${a}!==${a}?${b}:${b}!==${b}?${a}:Math.max(${a},${b}))`,
  minnumf: ([a, b]) => `(${a}!==${a}?${b}:${b}!==${b}?${a}:Math.min(${a},${b}))`,
  fma: ([a, b, c]) => `${a}*${b}+${c}`,
  exp: ([a]) => `Math.exp(${a})`,
  exp2: ([a]) => `2**${a}`,
  log: ([a]) => `Math.log(${a})`,
  sqrt: ([a]) => `Math.sqrt(${a})`,
  rsqrt: ([a]) => `1/Math.fround(Math.sqrt(${a}))`,
  tanh: ([a]) => `Math.tanh(${a})`,
  absf: ([a]) => `Math.abs(${a})`,
  floor: ([a]) => `Math.floor(${a})`,
  ceil: ([a]) => `Math.ceil(${a})`,
};

/** From the type of the operand to the type of the result. */
const casts: Readonly<Record<string, (a: string, from: ScalarType, to: ScalarType) => string>> = {
  extf: (a) => a,
  truncf: (a) => a,
  extsi: (a, from) => (bitsOf(from) === 1 ? `-${a}` : a),
  extui: (a, from, to) => wrap(unsigned(a, from), to),
  trunci: (a, _, to) => wrap(a, to),
  sitofp: (a) => a,
  uitofp: (a, from) => unsigned(a, from),
  // Out of range the result is undefined in MLIR; saturating is what the hardware does.
  fptosi: (a, _, to) =>
    `Math.max(${-(2 ** (bitsOf(to) - 1))},Math.min(${2 ** (bitsOf(to) - 1) - 1},Math.trunc(${a})))|0`,
  fptoui: (a, _, to) => wrap(`Math.max(0,Math.min(${2 ** bitsOf(to) - 1},Math.trunc(${a})))`, to),
  index_cast: (a, _, to) => wrap(a, to),
  index_castui: (a, from, to) => wrap(unsigned(a, from), to),
  bitcast: (a) => a,
};

const comparisons: Readonly<Record<string, string>> = { eq: "===", ne: "!==", lt: "<", le: "<=", gt: ">", ge: ">=" };

function compareIntegers([a, b]: readonly string[], predicate: string, t: ScalarType): string {
  const sign = predicate.length === 3 ? predicate[0] : "s";
  const operator = comparisons[predicate.slice(-2)]!;
  return sign === "u" ? `+(${unsigned(a!, t)}${operator}${unsigned(b!, t)})` : `+(${a}${operator}${b})`;
}

function compareFloats([a, b]: readonly string[], predicate: string): string {
  if (predicate === "true" || predicate === "false") return predicate === "true" ? "1" : "0";
  const unordered = `(${a}!==${a}||${b}!==${b})`;
  if (predicate === "ord") return `+!${unordered}`;
  if (predicate === "uno") return `+${unordered}`;
  const operator = comparisons[predicate.slice(1)]!;
  return predicate[0] === "u" ? `+(${unordered}||${a}${operator}${b})` : `+(!${unordered}&&${a}${operator}${b})`;
}

/** The expression of one lane. */
function expression(op: Op, args: readonly string[]): string | undefined {
  const [dialect, name] = op.name.split(".") as [string, string];
  if (dialect === "vector") return name === "fma" ? float.fma!(args, elementOf(op.results[0]!.type)) : undefined;
  if (dialect !== "arith" && dialect !== "math") return undefined;
  const to = elementOf(op.results[0]!.type);
  const from = elementOf(op.operands[0]!.type);
  if (name === "cmpi") return compareIntegers(args, integerPredicates[intAttr(op, "predicate")]!, from);
  if (name === "cmpf") return compareFloats(args, floatPredicates[intAttr(op, "predicate")]!);
  if (name === "select") return `(${args[0]}?${args[1]}:${args[2]})`;
  if (casts[name]) return casts[name](args[0]!, from, to);
  return (to.kind === "float" ? float : integer)[name]?.(args, to);
}

/** A result of float type is rounded to it; copies and exact results are rounded without effect. */
const rounded = (e: string, t: ScalarType): string =>
  t.kind !== "float" ? e : isHalf(t) ? `B.one(${e})` : `Math.fround(${e})`;

/** Whether lanes of the result that are computed need rounding to bf16 afterwards. */
const exact = new Set([
  "arith.select",
  "arith.negf",
  "arith.maximumf",
  "arith.minimumf",
  "arith.maxnumf",
  "arith.minnumf",
  "arith.extf",
  "math.absf",
]);

/** Whether an op works lane by lane, so that its result may take the place of an operand. */
export const isLaneWise = (op: Op): boolean => /^(arith|math)\./.test(op.name) || op.name === "vector.fma";

/** Emits an op of arith or math, or vector.fma. @param into where the lanes go, instead of new storage. */
export function emitArithmetic(e: Emitter, op: Op, into?: Value): boolean {
  if (op.name === "arith.constant") return emitConstant(e, op);
  const result = op.results[0];
  if (!result || !isLaneWise(op)) return false;
  if (
    op.name === "arith.bitcast" &&
    (elementOf(result.type).kind === "float") !== (elementOf(op.operands[0]!.type).kind === "float")
  )
    return emitBits(e, op, result);
  if (!isVector(result.type)) {
    const text = expression(
      op,
      op.operands.map((o) => e.scalar(o)),
    );
    if (text === undefined) return false;
    e.let(result, rounded(text, elementOf(result.type)));
    return true;
  }
  const lanes = op.operands.map((o) => (isVector(o.type) ? `${e.vector(o).array}[i]` : e.scalar(o)));
  const text = expression(op, lanes);
  if (text === undefined) return false;
  const out = into ? e.vector(into) : e.newVector(result);
  if (into) e.define(result, out);
  e.line(`for(let i=0;i<${count(result.type.shape)};i++)${out.array}[i]=${text};`);
  if (isHalf(result.type.element) && !exact.has(op.name)) e.line(`B.all(${out.bits});`);
  return true;
}

/** A bf16 or f32 read as an integer of its width; what no program of ours needs, vectors and the way back, is refused. */
function emitBits(e: Emitter, op: Op, result: Value): boolean {
  const from = op.operands[0]!.type;
  if (isVector(from) || from.kind !== "float" || !["bf16", "f32"].includes(from.name))
    return e.fail(op, "reinterpreting these types is not supported");
  const bits = `new Int32Array(Float32Array.of(${e.scalar(op.operands[0]!)}).buffer)[0]`;
  e.let(result, from.name === "bf16" ? `${bits}>>16` : bits);
  return true;
}

function emitConstant(e: Emitter, op: Op): boolean {
  const result = op.results[0]!;
  const { value } = op.attrs;
  if (value?.kind === "int" || value?.kind === "float") {
    const number = value.kind === "float" ? nearest(value.value, elementOf(result.type)) : value.value;
    e.define(result, { kind: "scalar", js: literal(number) });
    return true;
  }
  if (value?.kind !== "dense" || !isVector(result.type)) return e.fail(op, "is not a number or a vector");
  const { element, shape } = result.type;
  const size = count(shape);
  if (value.values.length !== 1 && value.values.length !== size)
    e.fail(op, `has ${value.values.length} values for ${size} elements`);
  const out = e.newVector(result, true);
  const values = value.values.map((v) => (element.kind === "float" ? nearest(v, element) : v));
  e.declarations.push(
    values.length === 1
      ? `${out.array}.fill(${literal(values[0]!)});`
      : `${out.array}.set([${values.map(literal).join(",")}]);`,
  );
  return true;
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** A constant of the text, in its type: to the nearest, as MLIR reads it. */
function nearest(value: number, t: ScalarType): number {
  single[0] = value;
  if (isHalf(t) && !Number.isNaN(value)) bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return single[0]!;
}
