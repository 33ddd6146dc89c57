/** One node of a model that is being read: operands and attributes, each checked when it is asked for. */
import { HeddleError } from "../../ir/error.ts";
import type { Node } from "../../ir/node.ts";
import type { onnx } from "./proto.ts";

/** A 64-bit integer as protobufjs gives it. */
export type Int64 = number | { toNumber(): number };

/** @throws Error for a number that JavaScript cannot hold exactly. */
export function toNumber(value: Int64): number {
  const n = typeof value === "number" ? value : value.toNumber();
  if (!Number.isSafeInteger(n)) throw new Error(`${value} is too large a size`);
  return n;
}

/** What names stand for so far. */
export interface Scope {
  readonly values: ReadonlyMap<string, Node>;
  /** Initializers of type int64: sizes and axes. */
  readonly lists: ReadonlyMap<string, readonly number[]>;
}

export class Call {
  readonly node: onnx.INodeProto;
  readonly #scope: Scope;
  readonly #used = new Set<string>();

  constructor(node: onnx.INodeProto, scope: Scope) {
    this.node = node;
    this.#scope = scope;
  }

  get count(): number {
    return this.node.input?.length ?? 0;
  }

  has(i: number): boolean {
    return (this.node.input?.[i] ?? "") !== "";
  }

  operand(i: number): Node {
    const name = this.#input(i);
    const value = this.#scope.values.get(name);
    if (!value) throw new Error(`reads ${name}, which no input, initializer or earlier node defines`);
    return value;
  }

  operands(): Node[] {
    return Array.from({ length: this.count }, (_, i) => this.operand(i));
  }

  /** An operand that says sizes or axes: it must be an initializer. */
  list(i: number): readonly number[] {
    const name = this.#input(i);
    const list = this.#scope.lists.get(name);
    if (!list) throw new Error(`operand ${i}, ${name}, must be an int64 initializer`);
    return list;
  }

  /** A list of one number. */
  single(i: number): number {
    const list = this.list(i);
    if (list.length !== 1) throw new Error(`operand ${i} has ${list.length} numbers; one is supported`);
    return list[0]!;
  }

  int(name: string, fallback: number): number {
    const a = this.#attribute(name);
    return a?.i === undefined || a.i === null ? fallback : toNumber(a.i as Int64);
  }

  float(name: string, fallback: number): number {
    return this.#attribute(name)?.f ?? fallback;
  }

  ints(name: string): readonly number[] {
    const a = this.#attribute(name);
    if (!a?.ints) throw new Error(`attribute ${name} is missing`);
    return a.ints.map((i) => toNumber(i as Int64));
  }

  /** @throws Error where an attribute has another value than the only one that is supported. */
  expect(name: string, value: number): void {
    const given = this.#attribute(name);
    const found = given?.type === 1 ? given.f : this.int(name, value);
    if (given && found !== value) throw new Error(`attribute ${name} must be ${value}, not ${found}`);
  }

  /** @throws Error where the node has an attribute that nobody asked for. */
  finish(): void {
    const left = (this.node.attribute ?? []).find((a) => !this.#used.has(a.name ?? ""));
    if (left) throw new Error(`attribute ${left.name} is not supported`);
  }

  #input(i: number): string {
    const name = this.node.input?.[i];
    if (!name) throw new HeddleError(`operand ${i} is missing`);
    return name;
  }

  #attribute(name: string): onnx.IAttributeProto | undefined {
    this.#used.add(name);
    return this.node.attribute?.find((a) => a.name === name) ?? undefined;
  }
}
