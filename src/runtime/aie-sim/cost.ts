/**
 * What an op costs, modelled: the core issues two 256-bit loads, one store, one vector op and scalar ops in a cycle, and a
 * loop whose body has no other loop is pipelined. Advisory, for reports; nothing waits for it but the simulated time.
 */
import { type Op, walk } from "./mlir/op.ts";
import { bitsOf, bytesOf, count, elementOf, type Type } from "./mlir/type.ts";

export interface Cost {
  /** Slots of 256-bit loads and stores, of the vector unit and of the scalar unit. */
  loads: number;
  stores: number;
  vector: number;
  scalar: number;
}

export const noCost = (): Cost => ({ loads: 0, stores: 0, vector: 0, scalar: 0 });

export function addCost(to: Cost, more: Partial<Cost>): void {
  to.loads += more.loads ?? 0;
  to.stores += more.stores ?? 0;
  to.vector += more.vector ?? 0;
  to.scalar += more.scalar ?? 0;
}

/** Cycles of straight code where all units are busy at once. */
export const blockCycles = (c: Cost): number => Math.ceil(Math.max(c.loads / 2, c.stores, c.vector, c.scalar));

const hasLoop = (op: Op): boolean => op.regions.some((r) => [...walk(r)].some((o) => o.name === "scf.for"));

/** An innermost loop has hardware counters and fills its pipeline once; others count and branch. */
export const loopCycles = (op: Op): { iteration: number; entry: number } =>
  hasLoop(op) ? { iteration: 4, entry: 4 } : { iteration: 0, entry: 12 };

const slots = (t: Type, bits: number): number =>
  t.kind === "vector" ? Math.max(1, Math.ceil((count(t.shape) * bitsOf(t.element)) / bits)) : 1;

/** Multiply-adds per cycle by the widths of both sides; f32 takes three passes of bf16. */
function contraction(op: Op): number {
  // The matrix unit takes what was widened as it was.
  const [a, b, c] = op.operands.map(
    (o, i) => (i < 2 && o.definition?.name === "arith.extsi" ? o.definition.operands[0]! : o).type,
  );
  const [left, right] = [elementOf(a!), elementOf(b!)];
  const reduced = (lanes(a!) * lanes(b!)) / Math.max(1, lanes(c!));
  const macs = lanes(c!) * Math.sqrt(reduced);
  const rate = left.kind === "float" ? (bitsOf(left) === 16 ? 128 : 32) : (256 * 64) / (bitsOf(left) * bitsOf(right));
  return Math.max(1, Math.ceil(macs / rate));
}

const lanes = (t: Type): number => (t.kind === "vector" ? count(t.shape) : 1);

/** Cycles per lane where the vector unit has no such op. */
const scalarised = /^(arith\.(divf|divsi|remsi|divui|remui)|math\.(tanh|sqrt|erf|log|exp2))$/;

export function opCost(op: Op): Partial<Cost> {
  const type = op.results[0]?.type ?? op.operands[0]?.type;
  if (!type || op.regions.length > 0) return { scalar: 1 };
  const vector = op.results[0]?.type.kind === "vector" || op.operands[0]?.type.kind === "vector";
  switch (op.name) {
    // Widening is part of what takes the value.
    case "arith.constant":
    case "arith.extf":
    case "vector.shape_cast":
    case "vector.bitcast":
    case "aie.objectfifo.subview.access":
    case "memref.subview":
    case "memref.collapse_shape":
    case "memref.expand_shape":
      return {};
    case "vector.transfer_read":
    case "vector.load":
      return { loads: slots(type, 256) };
    case "vector.transfer_write":
    case "vector.store":
      return { stores: slots(op.operands[0]!.type, 256) };
    case "memref.load":
      return { loads: 1, scalar: 1 };
    case "memref.store":
      return { stores: 1, scalar: 1 };
    case "vector.contract":
      return { vector: contraction(op) };
    case "vector.reduction":
      return { vector: 2 * Math.ceil(Math.log2(Math.max(2, lanes(op.operands[0]!.type)))) };
    case "vector.multi_reduction":
      return { vector: 2 * slots(op.operands[0]!.type, 512) };
    case "aie.objectfifo.acquire":
    case "aie.objectfifo.release":
    case "aie.use_lock":
      return { scalar: 6 };
  }
  // Addresses advance with the loads and stores that use them.
  if (type.kind === "index" && /^arith\.(addi|subi|muli|index_cast)$/.test(op.name)) return {};
  if (scalarised.test(op.name)) return { scalar: 20 * lanes(type) };
  // Upstream's functions, per 16 lanes. exp looks up two tables, 16 words each, and has ten operations around them (`getExpBf16` of
  // its `lut_based_ops.h`); rsqrt is counted as sixteen operations.
  const parts = Math.max(1, Math.ceil(lanes(type) / 16));
  if (op.name === "math.exp") return { vector: 10 * parts, loads: 32 * parts };
  if (op.name === "math.rsqrt") return { vector: 16 * parts, scalar: 4 };
  if (!vector) return { scalar: 1 };
  const element = elementOf(type);
  // A product of f32 takes three of bf16; one of what was bf16 takes one.
  const isWide = element.kind === "float" && bitsOf(element) === 32;
  const isExact = op.operands.every((o) => o.definition?.name === "arith.extf");
  const passes = isWide && /mulf|fma/.test(op.name) && !isExact ? 3 : 1;
  return { vector: passes * slots(type, 512) };
}

/** Bytes of code and of stack that a core's compiler will need: rough, and said to be so. */
export interface Footprint {
  readonly program: number;
  readonly stack: number;
}

/** Start-up code, and a library function with its tables' addresses. */
const startup = 1024;
const library = 640;
/** Vector registers and accumulators together. */
const registers = 1920;

/** @param copies how often upstream unrolls a loop that takes elements: the least common multiple of the FIFOs' depths. */
export function footprint(
  op: Op,
  functions: (name: string) => Op | undefined,
  copies: (loop: Op) => number,
): Footprint {
  const called = new Set<string>();
  const code = (ops: readonly Op[]): number => ops.reduce((n, o) => n + one(o), 0);
  const one = (o: Op): number => {
    const c = opCost(o);
    const inner = o.regions.reduce((n, r) => n + r.reduce((m, b) => m + code(b.ops), 0), 0);
    if (o.name === "scf.for") {
      // A pipelined loop has its body in a prologue and an epilogue as well.
      const body = hasLoop(o) ? inner : 2.5 * inner;
      return 32 + body * copies(o);
    }
    if (o.regions.length) return 32 + inner;
    const call = /^math\.(exp|rsqrt|tanh|erf|log|exp2)$/.test(o.name)
      ? o.name
      : o.name === "func.call"
        ? calleeOf(o)
        : undefined;
    if (call) called.add(call);
    if (call) return 16;
    const instructions = Math.min(64, (c.loads ?? 0) + (c.stores ?? 0) + (c.vector ?? 0));
    return 8 * Math.ceil(instructions) + 4 * Math.min(c.scalar ?? 0, 24);
  };
  const body = code(op.regions[0]![0]!.ops);
  const helpers = [...called].reduce((n, name) => {
    const f = functions(name);
    return n + (f ? code(f.regions[0]?.[0]?.ops ?? []) : library);
  }, 0);
  const allocas = [...walk(op.regions[0]!)].reduce((n, o) => {
    const t = o.results[0]?.type;
    return n + (o.name === "memref.alloca" && t?.kind === "memref" ? Math.ceil(bytesOf(t) / 32) * 32 : 0);
  }, 0);
  const spills = Math.max(0, live(op.regions[0]![0]!.ops) - registers);
  return { program: Math.round(startup + body + helpers), stack: 96 + allocas + 32 * Math.ceil(spills / 32) };
}

const calleeOf = (o: Op): string => (o.attrs.callee?.kind === "symbol" ? o.attrs.callee.name : "");

/** Most bytes of vectors that are alive at once. */
function live(ops: readonly Op[]): number {
  const last = new Map<object, number>();
  for (const [i, o] of ops.entries())
    for (const v of [...o.operands, ...o.regions.flatMap((r) => [...walk(r)].flatMap((p) => p.operands))])
      last.set(v, i);
  const size = (t: Type): number => (t.kind === "vector" ? bytesOf(t) : 0);
  let [now, most] = [0, 0];
  const defined = new Map<object, number>();
  for (const [i, o] of ops.entries()) {
    const inner = Math.max(
      0,
      ...o.regions.flatMap((r) => r.map((b) => live(b.ops) + b.args.reduce((n, a) => n + size(a.type), 0))),
    );
    most = Math.max(most, now + inner);
    for (const r of o.results)
      if (size(r.type) && o.name !== "arith.constant" && last.has(r)) {
        defined.set(r, size(r.type));
        now += size(r.type);
      }
    most = Math.max(most, now);
    for (const [v, bytes] of defined)
      if ((last.get(v) ?? 0) <= i) {
        now -= bytes;
        defined.delete(v);
      }
  }
  return most;
}
