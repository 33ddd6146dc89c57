/** A core as a generator: it runs until it must wait for an element of a FIFO or for a lock. */
import { noCost } from "../cost.ts";
import { type Core, type Device, failAt } from "../design.ts";
import { lockUse } from "../dma-program.ts";
import type { Buffer, Hardware, Lock, Port, Side } from "../hardware.ts";
import { reaches } from "../lower.ts";
import { intAttr, type Op, stringAttr, symbolAttr, type Value, walk } from "../mlir/op.ts";
import { sameType, showType } from "../mlir/type.ts";
import { emitBlock, flush, type Scope, type Waiting } from "./control.ts";
import { type Access, Emitter, isVector } from "./emitter.ts";
import type { Rounder } from "./rounding.ts";

/** What the source calls: the simulation on behalf of one core. */
export interface CoreRuntime {
  /** Cycles that the core has worked. */
  t: number;
}

export interface CompiledCore {
  readonly core: Core;
  /** Places in the text, ports, locks and buffers by the numbers that the source uses. */
  readonly accesses: readonly Access[];
  readonly ports: readonly Port[];
  readonly locks: readonly Lock[];
  readonly buffers: readonly Buffer[];
  /** For people, and to know cores with the same program. */
  readonly source: string;
}

/** Starts a core. It yields wherever it has to wait. */
export type Program = (runtime: CoreRuntime) => Generator<void, void>;

type Factory = (B: Rounder, N: (divisor: number) => number, F: typeof Math.fround) => Program;

/** The program of a core, for all cores that have the same: what the engine learns of it on one core serves the others. */
export function loadProgram({ source }: CompiledCore, rounder: Rounder): Program {
  // Every identifier in it was made by the emitter, every number printed by it: nothing of the text itself is executed.
  return (new Function("B", "N", "F", source) as Factory)(rounder, divisor, Math.fround);
}

/** A divisor, which the hardware does not check. */
const divisor = (x: number): number => {
  if (x === 0) throw new RangeError("division by zero");
  return x;
};

/** @throws HeddleError naming tile, op and line of what cannot run. */
export function compileCore(device: Device, hardware: Hardware, core: Core): CompiledCore {
  const e = new Emitter(`core on tile ${core.tile.name}`);
  const buffers = declareBuffers(e, hardware, core);
  const waiting = new Ports(e, hardware, core);
  const functions = new Map<string, string>();
  const scope: Scope = {
    e,
    waiting,
    callee(name, op) {
      const known = functions.get(name);
      if (known) return known;
      const definition = device.functions.get(name);
      if (!definition) return e.fail(op, `there is no function @${name}`);
      const js = e.fresh("f");
      functions.set(name, js);
      compileFunction(scope, js, definition);
      return js;
    },
  };
  emitBlock(scope, core.op.regions[0]![0]!.ops);
  flush(e);
  const source = `"use strict";\n${e.declarations.join("\n")}\nreturn function*(R){let t=0;\n${[...e.prologue, ...e.lines].join("\n")}\nR.t+=t;};`;
  return { core, accesses: e.accesses, ports: waiting.ports, locks: waiting.locks, buffers, source };
}

/** Buffers of this tile and of neighbours that the core uses. */
function declareBuffers(e: Emitter, hardware: Hardware, { op, tile }: Core): Buffer[] {
  const buffers: Buffer[] = [];
  const used = new Set([...walk(op.regions[0]!)].flatMap((o) => o.operands));
  for (const [value, buffer] of hardware.bufferOf) {
    if (!used.has(value)) continue;
    if (!reaches(tile, buffer.tile))
      failAt(
        op.loc,
        `core on tile ${tile.name}`,
        `cannot reach buffer ${buffer.name} on tile ${buffer.tile.name}`,
        "its own memory, or that of its western, northern or southern neighbour",
      );
    const name = e.fresh("m");
    e.prologue.push(`const ${name}=R.memory(${buffers.length}),${name}d=${name}.data;`);
    buffers.push(buffer);
    e.define(value, { kind: "memory", memory: name, data: `${name}d`, offset: "0", type: buffer.type });
  }
  return buffers;
}

/** Helpers may be called from cores; they cannot wait. */
function compileFunction(scope: Scope, js: string, definition: Op): void {
  const { e } = scope;
  const outer = { lines: e.lines, cost: e.cost, fill: e.fill, waiting: e.waiting };
  e.lines = [];
  e.cost = noCost();
  e.fill = 0;
  e.waiting = false;
  const { args, ops } =
    definition.regions[0]?.[0] ?? e.fail(definition, "has no body", "kernels in object files cannot be simulated");
  const params = args.flatMap((a): string[] => {
    const name = e.fresh("x");
    if (isVector(a.type)) {
      e.line(`${e.newVector(a).array}.set(${name});`);
      return [name];
    }
    if (a.type.kind !== "memref") {
      e.define(a, { kind: "scalar", js: name });
      return [name];
    }
    e.line(`const ${name}d=${name}.data;`);
    e.define(a, { kind: "memory", memory: name, data: `${name}d`, offset: `${name}o`, type: a.type });
    return [name, `${name}o`];
  });
  const end = emitBlock({ ...scope, waiting: undefined }, ops);
  flush(e);
  const values = (end?.operands ?? []).map((v: Value) => (isVector(v.type) ? e.vector(v).array : e.scalar(v)));
  const value = values.length === 1 ? values[0] : values.length ? `[${values.join(",")}]` : "";
  e.declarations.push(
    `function ${js}(${["R", ...params].join(",")}){let t=0;\n${e.lines.join("\n")}\nR.t+=t;return ${value};}`,
  );
  Object.assign(e, outer);
}

/** The ops that wait. */
class Ports implements Waiting {
  readonly ports: Port[] = [];
  readonly locks: Lock[] = [];
  readonly #e: Emitter;
  readonly #hardware: Hardware;
  readonly #core: Core;

  constructor(e: Emitter, hardware: Hardware, core: Core) {
    this.#e = e;
    this.#hardware = hardware;
    this.#core = core;
  }

  emit(op: Op): boolean {
    const e = this.#e;
    switch (op.name) {
      case "aie.objectfifo.acquire": {
        const port = this.#port(op);
        const [view] = op.results;
        if (view!.type.kind !== "subview" || !sameType(view!.type.element, port.buffers[0]!.type))
          e.fail(op, `@${port.fifo} has elements of type ${showType(port.buffers[0]!.type)}`);
        this.#wait(`R.acquire(${this.#number(this.ports, port)},${intAttr(op, "size")},${this.#place(op)})`);
        e.define(view!, { kind: "view", port: this.#number(this.ports, port) });
        return true;
      }
      case "aie.objectfifo.release": {
        flush(e);
        e.line(
          `R.t+=t;t=0;R.release(${this.#number(this.ports, this.#port(op))},${intAttr(op, "size")},${this.#place(op)});`,
        );
        return true;
      }
      case "aie.objectfifo.subview.access": {
        const view = e.name(op.operands[0]!);
        if (view.kind !== "view") return false;
        const size = intAttr(op.operands[0]!.definition!, "size");
        const i = intAttr(op, "index");
        if (i < 0 || i >= size) e.fail(op, `has no element ${i}: ${size} were acquired`);
        e.newMemory(op.results[0]!, `R.element(${view.port},${i},${this.#place(op)})`, "0");
        return true;
      }
      case "aie.use_lock": {
        const { lock, count } = lockUse(op, this.#hardware.lockOf);
        if (!reaches(this.#core.tile, lock.tile))
          e.fail(op, `cannot reach lock ${lock.name} on tile ${lock.tile.name}`);
        if (stringAttr(op, "action") === "Release") {
          flush(e);
          e.line(`R.t+=t;t=0;R.unlock(${this.#number(this.locks, lock)},${count},${this.#place(op)});`);
        } else this.#wait(`R.lock(${this.#number(this.locks, lock)},${count},${this.#place(op)})`);
        return true;
      }
      default:
        return false;
    }
  }

  #wait(call: string): void {
    flush(this.#e);
    this.#e.line(`R.t+=t;t=0;while(!${call})yield;`);
  }

  /** The position of something in a list, at its end if it is new: numbers of its own make the sources of equal cores equal. */
  #number<T>(list: T[], item: T): number {
    if (!list.includes(item)) list.push(item);
    return list.indexOf(item);
  }

  #place(op: Op): number {
    return this.#e.access({ loc: op.loc, op: op.name, shape: [], strides: [], write: false, memref: "" });
  }

  #port(op: Op) {
    const fifo = symbolAttr(op, "objFifo_name");
    const side = stringAttr(op, "port") as Side;
    const { tile } = this.#core;
    const found = this.#hardware.ports.find((p) => p.fifo === fifo && p.side === side && p.tile === tile);
    return found ?? this.#e.fail(op, `is no ${side === "Consume" ? "consumer" : "producer"} of @${fifo}`);
  }
}
