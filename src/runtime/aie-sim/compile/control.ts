/**
 * Blocks, loops, branches and calls. A loop that takes nothing from a FIFO becomes a function of its own: the engine's
 * optimising compiler then sees a small hot function instead of a long generator.
 */

import { addCost, blockCycles, loopCycles, noCost, opCost } from "../cost.ts";
import { type Op, symbolAttr, type Value, walk } from "../mlir/op.ts";
import { count, sameType } from "../mlir/type.ts";
import { emitArithmetic, isLaneWise } from "./arithmetic.ts";
import { emitContract } from "./contract.ts";
import { type Emitter, isVector } from "./emitter.ts";
import { emitMemory } from "./memory.ts";
import { emitVector } from "./vector.ts";

/** What only the body of a core may do: wait. */
export interface Waiting {
  /** @returns false where the op is of another kind. */
  emit(op: Op): boolean;
}

export interface Scope {
  readonly e: Emitter;
  /** Undefined inside of what cannot wait. */
  readonly waiting: Waiting | undefined;
  /** The JavaScript function of a func.func. */
  callee(name: string, op: Op): string;
}

/**
 * Writes the cycles since the last call. Must come before anything that looks at the time. Straight code runs while the pipelines of
 * the loops beside it fill and drain, as in the published kernels that the model is calibrated on.
 */
export function flush(e: Emitter): void {
  e.spend(Math.max(blockCycles(e.cost), e.fill));
  e.cost = noCost();
  e.fill = 0;
}

/** Ops up to the terminator, which is returned. */
export function emitBlock(s: Scope, ops: readonly Op[], places: ReadonlyMap<Op, Value> = new Map()): Op | undefined {
  for (const op of ops) {
    if (op.name === "scf.yield" || op.name === "func.return" || op.name === "aie.end") return op;
    addCost(s.e.cost, opCost(op));
    if (!emitOp(s, op, places.get(op))) s.e.fail(op, "has no place in a core");
  }
  return undefined;
}

function emitOp(s: Scope, op: Op, into: Value | undefined): boolean {
  if (op.name === "scf.for") return emitFor(s, op);
  if (op.name === "scf.if") return emitIf(s, op);
  if (op.name === "func.call") return emitCall(s, op);
  if (s.waiting?.emit(op)) return true;
  return emitArithmetic(s.e, op, into) || emitContract(s.e, op, into) || emitMemory(s.e, op) || emitVector(s.e, op);
}

const waits = (op: Op): boolean =>
  op.regions.some((r) =>
    [...walk(r)].some(
      (o) => o.name === "aie.objectfifo.acquire" || o.name === "aie.objectfifo.release" || o.name === "aie.use_lock",
    ),
  );

function emitFor(s: Scope, op: Op): boolean {
  const own = waits(op);
  // What others wait for happens in order; straight code and a loop that waits for nobody overlap.
  if (own) flush(s.e);
  if (own && !s.waiting) s.e.fail(op, "waits in a function, which only the body of a core may");
  if (!s.waiting || own) return emitLoop(s, op);
  const { e } = s;
  const { params, prologue } = captured(e, op);
  const args = ["R", ...params].join(",");
  const name = e.fresh("k");
  const outer = e.lines;
  e.lines = [];
  e.waiting = false;
  emitLoop({ ...s, waiting: undefined }, op);
  e.waiting = true;
  const results = op.results.filter((r) => !isVector(r.type)).map((r) => e.scalar(r));
  const value =
    results.length === 0 ? "" : results.length === 1 ? `return ${results[0]};` : `return [${results.join(",")}];`;
  e.declarations.push(`function ${name}(${args}){let t=0;${prologue}\n${e.lines.join("\n")}\nR.t+=t;${value}}`);
  e.lines = outer;
  const call = `${name}(${args})`;
  if (results.length === 0) e.line(`${call};`);
  else e.line(results.length === 1 ? `const ${results[0]}=${call};` : `const [${results.join(",")}]=${call};`);
  // The function's storage serves all cores: what it leaves there must not wait.
  for (const r of op.results) {
    if (!isVector(r.type)) continue;
    const from = e.vector(r).array;
    e.line(`${e.newVector(r).array}.set(${from});`);
  }
  return true;
}

/** Locals of the surrounding function that a loop uses. */
function captured(e: Emitter, op: Op): { params: string[]; prologue: string } {
  const inside = new Set<Value>();
  const params = new Set<string>();
  const prologue: string[] = [];
  const local = (js: string): boolean => /^[a-z]/.test(js);
  const note = (values: readonly Value[]) => {
    for (const v of values) {
      if (inside.has(v)) continue;
      const name = e.name(v);
      if (name.kind === "scalar" && local(name.js)) params.add(name.js);
      if (name.kind === "vector" && local(name.array)) {
        params.add(name.array);
        if (name.bits) params.add(name.bits);
      }
      if (name.kind !== "memory" || params.has(name.memory)) continue;
      params.add(name.memory);
      if (local(name.offset)) params.add(name.offset);
      prologue.push(`const ${name.data}=${name.memory}.data;`);
    }
  };
  const visit = (o: Op): void => {
    note(o.operands);
    for (const r of o.regions)
      for (const block of r) {
        for (const a of block.args) inside.add(a);
        for (const inner of block.ops) {
          visit(inner);
          for (const v of inner.results) inside.add(v);
        }
      }
  };
  visit(op);
  return { params: [...params], prologue: prologue.join("") };
}

function emitLoop(s: Scope, op: Op): boolean {
  const { e } = s;
  const [from, to, step] = op.operands.map((o, i) => (i < 3 ? e.scalar(o) : ""));
  if (/^\(|^0$/.test(step!)) e.fail(op, "its step must be positive");
  const { args, ops } = op.regions[0]![0]!;
  const [variable, ...carried] = args;
  const i = e.fresh("s");
  e.define(variable!, { kind: "scalar", js: i });
  for (const [k, arg] of carried.entries()) {
    const initial = op.operands[3 + k]!;
    if (isVector(arg.type)) {
      const place = e.newVector(arg);
      e.line(`${place.array}.set(${e.vector(initial).array});`);
      e.define(op.results[k]!, place);
    } else {
      const js = e.fresh("s");
      e.line(`let ${js}=${e.scalar(initial)};`);
      e.define(arg, { kind: "scalar", js });
      e.define(op.results[k]!, { kind: "scalar", js });
    }
  }
  const endless = !waits(op) && /^\d+$/.test(to!) && Number(to) > 2 ** 32;
  if (endless) e.fail(op, "never ends and never waits");
  e.line(`if(!(${step}>0))R.badStep();`);
  e.line(`for(let ${i}=${from};${i}<${to};${i}+=${step}){`);
  const places = inPlace(ops, carried);
  const around = { cost: e.cost, fill: e.fill + loopCycles(op).entry };
  e.cost = noCost();
  e.fill = 0;
  const end = emitBlock(s, ops, places);
  addCost(e.cost, { scalar: loopCycles(op).iteration });
  flush(e);
  assign(e, end?.operands ?? [], carried, places);
  e.line("}");
  Object.assign(e, around);
  return true;
}

/** Gives what is yielded to what is carried, all at once. */
function assign(e: Emitter, values: readonly Value[], targets: readonly Value[], places: ReadonlyMap<Op, Value>): void {
  const moves = values.flatMap((v, k) =>
    v === targets[k] || (v.definition && places.get(v.definition) === targets[k]) ? [] : [[v, targets[k]!] as const],
  );
  const crossing = moves.some(([v]) => targets.includes(v));
  const saved = moves.map(([v, target]) => {
    if (!isVector(v.type)) {
      if (!crossing) return { target, from: e.scalar(v) };
      const js = e.fresh("s");
      e.line(`const ${js}=${e.scalar(v)};`);
      return { target, from: js };
    }
    if (!crossing) return { target, from: e.vector(v).array };
    const copy = e.storage(v.type);
    e.line(`${copy.array}.set(${e.vector(v).array});`);
    return { target, from: copy.array };
  });
  for (const { target, from } of saved) {
    if (!isVector(target.type)) e.line(`${e.scalar(target)}=${from};`);
    else e.line(`for(let i=0;i<${count(target.type.shape)};i++)${e.vector(target).array}[i]=${from}[i];`);
  }
}

/** Ops whose result may be written over the value that the loop carries, because nothing looks at that value afterwards. */
function inPlace(ops: readonly Op[], carried: readonly Value[]): Map<Op, Value> {
  const places = new Map<Op, Value>();
  const end = ops.at(-1);
  if (end?.name !== "scf.yield") return places;
  const usesOf = (o: Op): Value[] => [
    ...o.operands,
    ...o.regions.flatMap((r) => [...walk(r)].flatMap((inner) => inner.operands)),
  ];
  for (const [k, value] of end.operands.entries()) {
    const op = value.definition;
    const arg = carried[k];
    if (!op || !arg || !isVector(value.type) || !sameType(value.type, arg.type)) continue;
    const at = ops.indexOf(op);
    const contraction = op.name === "vector.contract";
    if (at < 0 || !(contraction || (isLaneWise(op) && op.name !== "arith.constant"))) continue;
    if (contraction && (op.operands[0] === arg || op.operands[1] === arg)) continue;
    const later = ops.slice(at + 1).flatMap(usesOf);
    if (later.includes(arg) || later.filter((v) => v === value).length !== 1) continue;
    places.set(op, arg);
  }
  return places;
}

function emitIf(s: Scope, op: Op): boolean {
  const { e } = s;
  flush(e);
  for (const r of op.results) {
    if (isVector(r.type)) e.newVector(r);
    else {
      const js = e.fresh("s");
      e.line(`let ${js}=0;`);
      e.define(r, { kind: "scalar", js });
    }
  }
  e.line(`if(${e.scalar(op.operands[0]!)}){`);
  for (const [i, region] of op.regions.entries()) {
    if (i > 0) e.line("}else{");
    const end = region[0] && emitBlock(s, region[0].ops);
    flush(e);
    if ((end?.operands.length ?? 0) !== op.results.length) e.fail(op, "both branches must yield its results");
    assign(e, end?.operands ?? [], op.results, new Map());
  }
  e.line("}");
  return true;
}

function emitCall(s: Scope, op: Op): boolean {
  const { e } = s;
  const name = s.callee(symbolAttr(op, "callee"), op);
  const args = op.operands.flatMap((o) => {
    const n = e.name(o);
    if (n.kind === "memory") return [n.memory, n.offset];
    return n.kind === "vector" ? [n.array] : [e.scalar(o)];
  });
  const results = op.results.map((r) => (isVector(r.type) ? { r, js: e.fresh("u") } : { r, js: e.fresh("s") }));
  const names = results.map((x) => x.js);
  const call = `${name}(${["R", ...args].join(",")})`;
  e.line(
    names.length === 0
      ? `${call};`
      : names.length === 1
        ? `const ${names[0]}=${call};`
        : `const [${names.join(",")}]=${call};`,
  );
  for (const { r, js } of results) {
    if (isVector(r.type)) e.line(`${e.newVector(r).array}.set(${js});`);
    else e.define(r, { kind: "scalar", js });
  }
  return true;
}
