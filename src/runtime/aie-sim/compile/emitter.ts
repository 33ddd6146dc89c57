/**
 * Turns the body of a core into JavaScript. Only identifiers made here and numbers reach the source: names of the text never do.
 * A scalar is a local, a vector a typed array of its own that is made once, a memref the memory it lies in and an offset.
 */

import type { Loc } from "../../../ir/error.ts";
import { type Cost, noCost } from "../cost.ts";
import { failAt } from "../design.ts";
import type { Op, Value } from "../mlir/op.ts";
import { count, type MemRefType, type ScalarType, showType, type Type, type VectorType } from "../mlir/type.ts";

export interface VectorName {
  readonly kind: "vector";
  /** A typed array: floats as Float32Array whatever their width. */
  readonly array: string;
  /** The same lanes as Uint32Array, of floats. */
  readonly bits: string | undefined;
  readonly type: VectorType;
}

export interface MemoryName {
  readonly kind: "memory";
  /** A Memory of the simulation. */
  readonly memory: string;
  /** Its elements as a typed array. */
  readonly data: string;
  /** Of the first element. */
  readonly offset: string;
  readonly type: MemRefType;
}

export type Name =
  | { readonly kind: "scalar"; readonly js: string }
  | VectorName
  | MemoryName
  | { readonly kind: "view"; readonly port: number };

/** A place in the text that may be at fault when memory is touched. */
export interface Access {
  readonly loc: Loc;
  readonly op: string;
  /** Of the vector in memory: sizes, and elements between neighbours. */
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly write: boolean;
  /** What is indexed. */
  readonly memref: string;
  /** Of memory on the stack. */
  readonly stack?: MemRefType;
}

/** Array type of vectors and memories by element. */
export function arrayOf(t: ScalarType, inMemory: boolean): string {
  if (t.kind === "float") return inMemory && t.name !== "f32" ? "Uint16Array" : "Float32Array";
  const width = t.kind === "index" ? 32 : t.width;
  if (width === 1) return "Uint8Array";
  if (width <= 8) return "Int8Array";
  if (width === 16) return "Int16Array";
  return width === 32 ? "Int32Array" : "Float64Array";
}

export const isHalf = (t: ScalarType): boolean => t.kind === "float" && t.name === "bf16";

export class Emitter {
  /** Declarations made once for all cores with the same program: functions, constants, storage of what cannot wait. */
  readonly declarations: string[] = [];
  /** What every core declares for itself: what it holds while it waits. */
  readonly prologue: string[] = [];
  /** Whether the function that is written now may wait. */
  waiting = true;
  readonly accesses: Access[] = [];
  /** Lines of the function that is written now. */
  lines: string[] = [];
  /** Of the ops since the last `spend`. */
  cost: Cost = noCost();
  /** Cycles in which the loops since then fill and drain their pipelines. */
  fill = 0;
  /** What errors call the core. */
  readonly subject: string;
  readonly #names = new Map<Value, Name>();
  #next = 0;

  constructor(subject: string) {
    this.subject = subject;
  }

  fresh(prefix: string): string {
    return `${prefix}${this.#next++}`;
  }

  line(text: string): void {
    this.lines.push(text);
  }

  fail(op: Op, reason: string, hint?: string): never {
    return failAt(op.loc, `${this.subject}, ${op.name}`, reason, hint);
  }

  define(value: Value, name: Name): void {
    this.#names.set(value, name);
  }

  name(value: Value): Name {
    const found = this.#names.get(value);
    if (!found) return failAt(value.loc, this.subject, `${value.name} cannot be used in a core`);
    return found;
  }

  scalar(value: Value): string {
    const n = this.name(value);
    return n.kind === "scalar" ? n.js : failAt(value.loc, this.subject, `${value.name} is not a number`);
  }

  vector(value: Value): VectorName {
    const n = this.name(value);
    return n.kind === "vector" ? n : failAt(value.loc, this.subject, `${value.name} is not a vector`);
  }

  memory(value: Value): MemoryName {
    const n = this.name(value);
    return n.kind === "memory" ? n : failAt(value.loc, this.subject, `${value.name} is not a memref`);
  }

  /** A number in a constant local. */
  let(value: Value, expression: string): void {
    const js = this.fresh("s");
    this.line(`const ${js}=${expression};`);
    this.define(value, { kind: "scalar", js });
  }

  /** Storage for a vector. @param shared of a constant, which all cores may use. */
  storage(type: VectorType, shared = !this.waiting): VectorName {
    const array = this.fresh(shared ? "V" : "v");
    const lines = shared ? this.declarations : this.prologue;
    lines.push(`const ${array}=new ${arrayOf(type.element, false)}(${count(type.shape)});`);
    if (type.element.kind !== "float") return { kind: "vector", array, bits: undefined, type };
    const bits = `${array}b`;
    lines.push(`const ${bits}=new Uint32Array(${array}.buffer);`);
    return { kind: "vector", array, bits, type };
  }

  newVector(value: Value, shared?: boolean): VectorName {
    const { type } = value;
    if (type.kind !== "vector")
      return failAt(value.loc, this.subject, `${value.name} is of type ${showType(type)}, not a vector`);
    const name = this.storage(type, shared);
    this.define(value, name);
    return name;
  }

  newMemory(value: Value, memory: string, offset: string): void {
    const { type } = value;
    if (type.kind !== "memref") failAt(value.loc, this.subject, `${value.name} is not a memref`);
    const name = this.fresh("m");
    this.line(`const ${name}=${memory},${name}d=${name}.data,${name}o=${offset};`);
    this.define(value, {
      kind: "memory",
      memory: name,
      data: `${name}d`,
      offset: `${name}o`,
      type: type as MemRefType,
    });
  }

  /** The number by which the source refers to a place in the text. */
  access(a: Access): number {
    this.accesses.push(a);
    return this.accesses.length - 1;
  }

  /** Adds the modelled cycles of what was written since the last call. */
  spend(cycles: number): void {
    if (cycles > 0) this.line(`t+=${cycles};`);
  }
}

/** A number as source; an integer beyond 2^53 loses its last bits, which only bounds of endless loops have. */
export const literal = (value: number): string =>
  Number.isNaN(value)
    ? "NaN"
    : value === Infinity
      ? "Infinity"
      : value === -Infinity
        ? "(-Infinity)"
        : value < 0 || Object.is(value, -0)
          ? `(${Object.is(value, -0) ? "-0" : value})`
          : `${value}`;

export const isVector = (t: Type): t is VectorType => t.kind === "vector";
