/** Ops of the dialect vector that move or reduce lanes. */
import { arrayAttr, intsAttr, type Op, textAttr } from "../mlir/op.ts";
import { dynamic } from "../mlir/syntax/memref.ts";
import { bitsOf, count, elementOf, rowMajor, type ScalarType, type VectorType } from "../mlir/type.ts";
import { type Emitter, isHalf, isVector, type VectorName } from "./emitter.ts";

type Emit = (e: Emitter, op: Op) => void;

/** Lane `i` of the result comes from lane `source[i]`; runs of neighbours become loops. */
function gather(e: Emitter, out: VectorName, from: string, source: readonly number[]): void {
  const parts: string[] = [];
  for (let i = 0; i < source.length; ) {
    let n = 1;
    while (i + n < source.length && source[i + n] === source[i]! + n) n++;
    parts.push(
      n === 1
        ? `${out.array}[${i}]=${from}[${source[i]}];`
        : `for(let i=0;i<${n};i++)${out.array}[${i}+i]=${from}[${source[i]}+i];`,
    );
    i += n;
  }
  // Long tables are data, not code.
  if (parts.length <= 16) return void e.line(parts.join(""));
  const table = e.fresh("p");
  e.declarations.push(`const ${table}=Int32Array.of(${source.join(",")});`);
  e.line(`for(let i=0;i<${source.length};i++)${out.array}[i]=${from}[${table}[i]];`);
}

const copy = (e: Emitter, to: VectorName, from: VectorName, at = "0"): void =>
  e.line(`for(let i=0;i<${count(to.type.shape)};i++)${to.array}[i]=${from.array}[${at}+i];`);

/** Every lane of a shape as indices. */
const lanes = (shape: readonly number[]): number[][] => {
  const strides = rowMajor(shape);
  return Array.from({ length: count(shape) }, (_, i) => shape.map((n, d) => Math.floor(i / strides[d]!) % n));
};

const flat = (at: readonly number[], shape: readonly number[]): number => {
  const strides = rowMajor(shape);
  return at.reduce((n, x, d) => n + x * strides[d]!, 0);
};

/** One step of a reduction as an expression of two lanes. */
function combine(e: Emitter, op: Op, t: ScalarType): (a: string, b: string) => string {
  const kind = /<(\w+)>/.exec(textAttr(op, "kind"))![1]!;
  const float = t.kind === "float";
  // Sums of bf16 are kept in f32 and rounded once, at the end.
  const round = (x: string) => (float ? `F(${x})` : `(${x})|0`);
  switch (kind) {
    case "add":
      return (a, b) => round(`${a}+${b}`);
    case "mul":
      return (a, b) => (float ? round(`${a}*${b}`) : `Math.imul(${a},${b})`);
    case "maxsi":
    case "maximumf":
    case "maxnumf":
      return (a, b) => `Math.max(${a},${b})`;
    case "minsi":
    case "minimumf":
    case "minnumf":
      return (a, b) => `Math.min(${a},${b})`;
    case "and":
      return (a, b) => `${a}&${b}`;
    case "or":
      return (a, b) => `${a}|${b}`;
    default:
      return e.fail(op, `a reduction of kind ${kind} is not supported`);
  }
}

/** The offset of a position, and how many of its dimensions it takes. */
function positionOf(e: Emitter, op: Op, from: VectorType, operands: Op["operands"]): { at: string; taken: number } {
  const positions = intsAttr(op, "static_position");
  const strides = rowMajor(from.shape);
  let next = 0;
  const terms = positions.map((p, d) => {
    if (p !== dynamic) return `${p * strides[d]!}`;
    const i = e.scalar(operands[next++]!);
    e.line(
      `if(!(${i}>=0&&${i}<${from.shape[d]}))R.lane(${e.access({ loc: op.loc, op: op.name, shape: from.shape, strides, write: false, memref: "" })},${d},${i});`,
    );
    return `${i}*${strides[d]}`;
  });
  return { at: terms.join("+") || "0", taken: positions.length };
}

const table: Readonly<Record<string, Emit>> = {
  "vector.broadcast": (e, op) => {
    const [value] = op.operands;
    const out = e.newVector(op.results[0]!);
    if (!isVector(value!.type)) return void e.line(`${out.array}.fill(${e.scalar(value!)});`);
    const { shape } = value!.type;
    const lead = out.type.shape.length - shape.length;
    const source = lanes(out.type.shape).map((at) =>
      flat(
        shape.map((n, d) => (n === 1 ? 0 : at[lead + d]!)),
        shape,
      ),
    );
    gather(e, out, e.vector(value!).array, source);
  },
  "vector.shape_cast": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const [result] = op.results;
    // A value that a loop carries is overwritten in place, so its lanes cannot be shared.
    if (op.operands[0]!.definition) e.define(result!, { ...from, type: result!.type as VectorType });
    else copy(e, e.newVector(result!), from);
  },
  "vector.bitcast": emitBitcast,
  "vector.transpose": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const out = e.newVector(op.results[0]!);
    const permutation = intsAttr(op, "permutation");
    const source = lanes(out.type.shape).map((at) => {
      const back = new Array<number>(at.length);
      for (const [d, p] of permutation.entries()) back[p] = at[d]!;
      return flat(back, from.type.shape);
    });
    gather(e, out, from.array, source);
  },
  "vector.shuffle": (e, op) => {
    const [a, b] = [e.vector(op.operands[0]!), e.vector(op.operands[1]!)];
    const out = e.newVector(op.results[0]!);
    const step = count(a.type.shape.slice(1));
    const rows = a.type.shape[0]!;
    const parts = intsAttr(op, "mask").map((m, i) => {
      if (m < 0 || m >= rows + b.type.shape[0]!) e.fail(op, `its mask picks lane ${m}`);
      const [v, at] = m < rows ? [a, m * step] : [b, (m - rows) * step];
      return step === 1
        ? `${out.array}[${i}]=${v.array}[${at}];`
        : `for(let i=0;i<${step};i++)${out.array}[${i * step}+i]=${v.array}[${at}+i];`;
    });
    e.line(parts.join(""));
  },
  "vector.extract": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const { at } = positionOf(e, op, from.type, op.operands.slice(1));
    const [result] = op.results;
    if (isVector(result!.type)) copy(e, e.newVector(result!), from, at);
    else e.let(result!, `${from.array}[${at}]`);
  },
  "vector.insert": (e, op) => {
    const [value, to] = op.operands;
    const base = e.vector(to!);
    const { at } = positionOf(e, op, base.type, op.operands.slice(2));
    const out = e.newVector(op.results[0]!);
    copy(e, out, base);
    if (!isVector(value!.type)) return void e.line(`${out.array}[${at}]=${e.scalar(value!)};`);
    e.line(`${out.array}.set(${e.vector(value!).array},${at});`);
  },
  "vector.extract_strided_slice": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const out = e.newVector(op.results[0]!);
    const offsets = listed(op, "offsets");
    const source = lanes(out.type.shape).map((at) =>
      flat(
        at.map((x, d) => x + (offsets[d] ?? 0)),
        from.type.shape,
      ),
    );
    gather(e, out, from.array, source);
  },
  "vector.insert_strided_slice": (e, op) => {
    const [value, base] = [e.vector(op.operands[0]!), e.vector(op.operands[1]!)];
    const out = e.newVector(op.results[0]!);
    const offsets = listed(op, "offsets");
    const lead = out.type.shape.length - value.type.shape.length;
    copy(e, out, base);
    const target = lanes(value.type.shape).map((at) =>
      flat(
        out.type.shape.map((_, d) => offsets[d]! + (d < lead ? 0 : at[d - lead]!)),
        out.type.shape,
      ),
    );
    e.line(target.map((t, i) => `${out.array}[${t}]=${value.array}[${i}];`).join(""));
  },
  "vector.reduction": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const step = combine(e, op, elementOf(from.type));
    const s = e.fresh("r");
    const start = op.operands[1] ? e.scalar(op.operands[1]) : undefined;
    // In order of the lanes, as LLVM reduces floats that may not be reassociated.
    e.line(
      `let ${s}=${start ?? `${from.array}[0]`};for(let i=${start ? 0 : 1};i<${count(from.type.shape)};i++)${s}=${step(s, `${from.array}[i]`)};`,
    );
    if (isHalf(elementOf(from.type))) e.line(`${s}=B.one(${s});`);
    e.define(op.results[0]!, { kind: "scalar", js: s });
  },
  "vector.multi_reduction": (e, op) => {
    const from = e.vector(op.operands[0]!);
    const { shape } = from.type;
    const dims = intsAttr(op, "reduction_dims");
    const step = combine(e, op, elementOf(from.type));
    const [result] = op.results;
    if (!isVector(result!.type)) return e.fail(op, "a reduction to a scalar is not supported", "vector.reduction");
    const acc = e.vector(op.operands[1]!);
    const out = e.newVector(result!);
    copy(e, out, acc);
    const kept = shape.map((_, d) => d).filter((d) => !dims.includes(d));
    const target = lanes(shape).map((at) =>
      flat(
        kept.map((d) => at[d]!),
        out.type.shape,
      ),
    );
    const name = e.fresh("p");
    e.declarations.push(`const ${name}=Int32Array.of(${target.join(",")});`);
    e.line(
      `for(let i=0;i<${target.length};i++)${out.array}[${name}[i]]=${step(`${out.array}[${name}[i]]`, `${from.array}[i]`)};`,
    );
    if (isHalf(from.type.element)) e.line(`B.all(${out.bits});`);
  },
};

const listed = (op: Op, name: string): number[] => arrayAttr(op, name).map((a) => (a.kind === "int" ? a.value : 0));

/** The same bits as lanes of another width: between integers, down to 4 bits, and f32, and between bf16 and 16-bit integers. */
function emitBitcast(e: Emitter, op: Op): void {
  const from = e.vector(op.operands[0]!);
  const out = e.newVector(op.results[0]!);
  const [a, b] = [from.type.element, out.type.element];
  if (a.kind === "float" && b.kind === "float") return void copy(e, out, from);
  if (isHalf(a) && bitsOf(b) === 16)
    return void e.line(`for(let i=0;i<${count(out.type.shape)};i++)${out.array}[i]=${from.bits}[i]>>>16;`);
  if (bitsOf(a) === 16 && isHalf(b))
    return void e.line(`for(let i=0;i<${count(out.type.shape)};i++)${out.bits}[i]=${from.array}[i]<<16;`);
  const isWhole = (t: ScalarType) => t.kind !== "float" || bitsOf(t) === 32;
  if (!isWhole(a) || !isWhole(b)) e.fail(op, "reinterpreting these types is not supported");
  if (bitsOf(a) === 8 && bitsOf(b) === 4)
    return void e.line(
      `for(let i=0;i<${count(from.type.shape)};i++){${out.array}[2*i]=${from.array}[i]<<28>>28;${out.array}[2*i+1]=${from.array}[i]>>4;}`,
    );
  if (bitsOf(a) % 8 || bitsOf(b) % 8) e.fail(op, "reinterpreting these types is not supported");
  e.line(`new Uint8Array(${out.array}.buffer).set(new Uint8Array(${from.array}.buffer));`);
}

/** @returns false where the op is of another kind. */
export function emitVector(e: Emitter, op: Op): boolean {
  const emit = table[op.name];
  if (!emit) return false;
  emit(e, op);
  return true;
}
