/**
 * Writes the program of a core: SSA in the scf, arith, math, memref and vector dialects, kept to what upstream lowers to the
 * vector and matrix units of AIE2 (16 lanes of bf16 and f32, contractions of the matrix unit's shape).
 */
import { type Element, type Mem, showMem } from "./mem.ts";

export interface Value {
  readonly id: string;
  readonly type: string;
}
export interface Buffer {
  readonly id: string;
  readonly type: Mem;
}

type Ports = ReadonlyMap<string, { readonly symbol: string; readonly object: Mem }>;

export const vec = (of: Element | "i1", ...shape: readonly number[]): string => `vector<${[...shape, of].join("x")}>`;
const elementOf = (type: string): string => /((?:bf|f|i)\d+)>?$/.exec(type)![1]!;
const shapeOf = (type: string): number[] => [...type.matchAll(/(\d+)x/g)].map((m) => Number(m[1]));

/** A float as MLIR reads it: with a point, or as bits where it is not finite. */
export function float(x: number): string {
  if (x === 0) return "0.0";
  const text = Math.abs(x) >= 1e6 || Math.abs(x) < 1e-4 ? x.toExponential() : String(x);
  return text.replace(/^(-?\d+)(e|$)/, "$1.0$2");
}

/** Functions that the cores of a design share, by name, as lines. */
export type Library = Map<string, readonly string[]>;

export class Body {
  readonly #lines: string[] = [];
  readonly #constants = new Map<string, Value>();
  readonly #names = new Map<string, number>();
  #indent = 0;
  readonly #fifos: Ports;
  readonly #buffers: ReadonlyMap<string, Buffer>;
  readonly #library: Library;

  /** @param fifos by the names of the program's ports. @param locals buffers of the core by name. */
  constructor(fifos: Ports, locals: ReadonlyMap<string, Buffer>, library: Library) {
    this.#fifos = fifos;
    this.#buffers = locals;
    this.#library = library;
  }

  /** The text: constants first. */
  lines(): string[] {
    return [...[...this.#constants].map(([text, v]) => `${v.id} = ${text}`), ...this.#lines];
  }

  #fresh(hint: string): string {
    const n = this.#names.get(hint) ?? 0;
    this.#names.set(hint, n + 1);
    return n || /\d$/.test(hint) ? `%${hint}_${n}` : `%${hint}`;
  }
  #put(text: string): void {
    this.#lines.push("  ".repeat(this.#indent) + text);
  }
  comment(text: string): void {
    this.#put(`// ${text}`);
  }
  def(hint: string, type: string, text: string): Value {
    const id = this.#fresh(hint);
    this.#put(`${id} = ${text}`);
    return { id, type };
  }

  #constant(hint: string, type: string, text: string): Value {
    const key = `arith.constant ${text} : ${type}`;
    const known = this.#constants.get(key);
    if (known) return known;
    // An index constant is named after its number: no other value is.
    const v = { id: type === "index" ? `%${hint}` : this.#fresh(hint), type };
    this.#constants.set(key, v);
    return v;
  }
  index(n: number): Value {
    return this.#constant(`c${n}`.replace("-", "m"), "index", String(n));
  }
  i32(n: number): Value {
    return this.#constant("k", "i32", String(n));
  }
  scalar(x: number, of: Element): Value {
    return this.#constant("s", of, of.startsWith("i") ? String(x) : float(x));
  }
  /** The same number in every lane, or one number per lane. */
  splat(x: number | readonly number[], type: string): Value {
    const one = (v: number) => (elementOf(type).startsWith("i") ? String(v) : float(v));
    if (typeof x === "number") return this.#constant("v", type, `dense<${one(x)}>`);
    const nest = (shape: readonly number[], part: readonly number[]): string => {
      if (shape.length === 0) return one(part[0]!);
      const step = part.length / shape[0]!;
      return `[${Array.from({ length: shape[0]! }, (_, i) => nest(shape.slice(1), part.slice(i * step, (i + 1) * step))).join(", ")}]`;
    };
    return this.#constant("v", type, `dense<${nest(shapeOf(type), x)}>`);
  }

  /** Two operands of one type. */
  op(name: string, a: Value, b: Value, hint = name.split(".")[1]!): Value {
    return this.def(hint, a.type, `${name} ${a.id}, ${b.id} : ${a.type}`);
  }
  add(a: Value, b: Value): Value {
    return this.op(a.type.includes("f") ? "arith.addf" : "arith.addi", a, b, "sum");
  }
  sub(a: Value, b: Value): Value {
    return this.op(a.type.includes("f") ? "arith.subf" : "arith.subi", a, b, "diff");
  }
  mul(a: Value, b: Value): Value {
    return this.op(a.type.includes("f") ? "arith.mulf" : "arith.muli", a, b, "prod");
  }
  max(a: Value, b: Value): Value {
    return this.op("arith.maximumf", a, b, "max");
  }
  min(a: Value, b: Value): Value {
    return this.op("arith.minimumf", a, b, "min");
  }
  unary(name: string, a: Value): Value {
    return this.def(name.split(".")[1]!, a.type, `${name} ${a.id} : ${a.type}`);
  }
  convert(name: string, a: Value, to: string, hint = "cast"): Value {
    return a.type === to ? a : this.def(hint, to, `${name} ${a.id} : ${a.type} to ${to}`);
  }
  /** To f32 of the same shape. */
  wide(a: Value): Value {
    return this.convert("arith.extf", a, a.type.replace("bf16", "f32"), "wide");
  }
  /** To bf16 of the same shape, to the nearest. */
  narrow(a: Value): Value {
    return this.convert("arith.truncf", a, a.type.replace("f32", "bf16"), "narrow");
  }
  shape(a: Value, to: string): Value {
    return this.convert("vector.shape_cast", a, to, "cast");
  }
  broadcast(a: Value, to: string): Value {
    return this.def("lanes", to, `vector.broadcast ${a.id} : ${a.type} to ${to}`);
  }
  /** Sum or maximum of all lanes. */
  reduce(kind: "add" | "maximumf", a: Value): Value {
    const of = elementOf(a.type);
    return this.def(kind === "add" ? "total" : "top", of, `vector.reduction <${kind}>, ${a.id} : ${a.type} into ${of}`);
  }
  compare(name: "arith.cmpf" | "arith.cmpi", predicate: string, a: Value, b: Value): Value {
    const lanes = a.type.startsWith("vector") ? vec("i1", ...shapeOf(a.type)) : "i1";
    return this.def("is", lanes, `${name} ${predicate}, ${a.id}, ${b.id} : ${a.type}`);
  }
  select(c: Value, a: Value, b: Value): Value {
    const types = c.type === "i1" ? a.type : `${c.type}, ${a.type}`;
    return this.def("pick", a.type, `arith.select ${c.id}, ${a.id}, ${b.id} : ${types}`);
  }
  transpose(a: Value): Value {
    const [rows, cols] = shapeOf(a.type) as [number, number];
    const to = `vector<${cols}x${rows}x${elementOf(a.type)}>`;
    return this.def("turned", to, `vector.transpose ${a.id}, [1, 0] : ${a.type} to ${to}`);
  }
  /** acc + a b, in a shape of the matrix unit. */
  contract(a: Value, b: Value, acc: Value): Value {
    return this.def(
      "acc",
      acc.type,
      `vector.contract {indexing_maps = [#left, #right, #out], iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>} ${a.id}, ${b.id}, ${acc.id} : ${a.type}, ${b.type} into ${acc.type}`,
    );
  }

  read(from: Buffer, at: readonly Value[], type: string, hint = "x"): Value {
    const pad = elementOf(type) as Element;
    const bounds = shapeOf(type).map(() => "true");
    return this.def(
      hint,
      type,
      `vector.transfer_read ${from.id}[${ids(at)}], ${this.scalar(0, pad).id} {in_bounds = [${bounds.join(", ")}]} : ${showMem(from.type)}, ${type}`,
    );
  }
  write(v: Value, to: Buffer, at: readonly Value[]): void {
    const bounds = shapeOf(v.type).map(() => "true");
    this.#put(
      `vector.transfer_write ${v.id}, ${to.id}[${ids(at)}] {in_bounds = [${bounds.join(", ")}]} : ${v.type}, ${showMem(to.type)}`,
    );
  }
  load(from: Buffer, at: readonly Value[]): Value {
    return this.def("item", from.type.of, `memref.load ${from.id}[${ids(at)}] : ${showMem(from.type)}`);
  }

  /** A loop over 0, step, 2 step .. below `count`. */
  for(count: number | Value, body: (i: Value) => void, { step = 1, hint = "i" } = {}): void {
    const top = typeof count === "number" ? this.index(count) : count;
    const i = { id: this.#fresh(hint), type: "index" };
    this.#put(`scf.for ${i.id} = ${this.index(0).id} to ${top.id} step ${this.index(step).id} {`);
    this.#inside(() => body(i));
    this.#put("}");
  }
  /** A loop that carries values. */
  fold(
    count: number | Value,
    init: readonly Value[],
    body: (i: Value, carried: Value[]) => Value[],
    hint = "i",
  ): Value[] {
    const top = typeof count === "number" ? this.index(count) : count;
    const i = { id: this.#fresh(hint), type: "index" };
    const carried = init.map((v) => ({ id: this.#fresh("carry"), type: v.type }));
    const types = init.map((v) => v.type).join(", ");
    const out = this.#fresh("loop");
    const args = carried.map((c, k) => `${c.id} = ${init[k]!.id}`).join(", ");
    this.#put(
      `${out}${init.length > 1 ? `:${init.length}` : ""} = scf.for ${i.id} = ${this.index(0).id} to ${top.id} step ${this.index(1).id} iter_args(${args}) -> (${types}) {`,
    );
    this.#inside(() => {
      const next = body(i, carried);
      this.#put(`scf.yield ${next.map((v) => v.id).join(", ")} : ${types}`);
    });
    this.#put("}");
    return init.map((v, k) => ({ id: init.length > 1 ? `${out}#${k}` : out, type: v.type }));
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#put(`scf.if ${condition.id} {`);
    this.#inside(then);
    if (otherwise) {
      this.#put("} else {");
      this.#inside(otherwise);
    }
    this.#put("}");
  }
  #inside(write: () => void): void {
    this.#indent++;
    write();
    this.#indent--;
  }

  /** The next object of a FIFO; its buffer is the core's until `release`. @param held objects that the core has then, with this one. */
  acquire(port: string, end: "Consume" | "Produce", held = 1): Buffer {
    const { symbol, object } = this.#fifos.get(port)!;
    const view = `!aie.objectfifosubview<${showMem(object)}>`;
    const v = this.def(`${port}_view`, view, `aie.objectfifo.acquire @${symbol}(${end}, ${held}) : ${view}`);
    const b = this.def(port, "", `aie.objectfifo.subview.access ${v.id}[${held - 1}] : ${view} -> ${showMem(object)}`);
    return { id: b.id, type: object };
  }
  release(port: string, end: "Consume" | "Produce"): void {
    this.#put(`aie.objectfifo.release @${this.#fifos.get(port)!.symbol}(${end}, 1)`);
  }
  /**
   * Calls a function that works on buffers; the first call of a name writes it. Cores share their code, and a loop over a FIFO, which
   * upstream unrolls, is short.
   * @param body its locals are the buffers. Equal names mean equal bodies.
   */
  call(
    name: string,
    buffers: Readonly<Record<string, Buffer>>,
    values: readonly Value[],
    body: (f: Body, ...values: Value[]) => void,
  ): void {
    const passed = Object.entries(buffers);
    const types = [...passed.map(([, b]) => showMem(b.type)), ...values.map((v) => v.type)];
    if (!this.#library.has(name)) {
      // Reserved first: a function is not written again while it is written.
      this.#library.set(name, []);
      const params = passed.map(([local, b]): [string, Buffer] => [local, { id: `%${local}`, type: b.type }]);
      const numbers = values.map((v, i) => ({ id: `%value_${i}`, type: v.type }));
      const f = new Body(new Map(), new Map(params), this.#library);
      for (const [local] of params) f.#names.set(local, 1);
      body(f, ...numbers);
      const list = [...params.map(([, b]) => b.id), ...numbers.map((v) => v.id)].map((id, i) => `${id}: ${types[i]}`);
      const lines = f.lines().map((line) => `  ${line}`);
      this.#library.set(name, [`func.func private @${name}(${list.join(", ")}) {`, ...lines, "  func.return", "}"]);
    }
    const args = [...passed.map(([, b]) => b.id), ...values.map((v) => v.id)];
    this.#put(`func.call @${name}(${args.join(", ")}) : (${types.join(", ")}) -> ()`);
  }
  local(name: string): Buffer {
    return this.#buffers.get(name)!;
  }
}

const ids = (at: readonly Value[]): string => at.map((v) => v.id).join(", ");
