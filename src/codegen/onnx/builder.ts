/** Collects the nodes and initializers of one ONNX graph while its nodes are lowered in execution order. */
import { HeddleError, showLoc } from "../../ir/error.ts";
import type { Graph } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { nodeNames } from "../../ir/print.ts";
import { showType, staticShape } from "../../ir/type.ts";
import type { WeightRef, WeightTable } from "../weights.ts";
import { attribute, elementType, type OnnxAttribute, type onnx, valueInfo } from "./proto.ts";

export class OnnxBuilder {
  readonly nodes: onnx.INodeProto[] = [];
  readonly values: onnx.IValueInfoProto[] = [];
  /** Initializers that are computed from weights, by name. */
  readonly weights = new Map<string, WeightRef>();
  /** Lists of sizes and axes, which ONNX takes as tensors. */
  readonly lists = new Map<string, readonly number[]>();
  readonly #static: ReadonlySet<Node>;
  readonly #table: WeightTable;
  readonly #named: ReadonlyMap<Node, string>;
  readonly #taken = new Set<string>();
  readonly #nameOf = new Map<Node, string>();
  readonly #refs = new Map<WeightRef, string>();

  constructor(g: Graph, known: ReadonlySet<Node>, table: WeightTable) {
    this.#static = known;
    this.#table = table;
    this.#named = nodeNames(g);
  }

  /** Declares an input under its own name. */
  input(n: Node): onnx.IValueInfoProto {
    this.#nameOf.set(n, this.#unique(n.name ?? n.op.name));
    return this.info(n, this.#nameOf.get(n)!);
  }

  info(n: Node, name: string): onnx.IValueInfoProto {
    return valueInfo(name, elementTypeOf(n), staticShape(n.type.shape));
  }

  /** Name of a value: an input, an initializer, or what a node yields. */
  value(n: Node): string {
    const known = this.#nameOf.get(n);
    if (known !== undefined) return known;
    if (this.#static.has(n)) return this.weight(n);
    const name = this.#unique(this.#named.get(n) ?? n.op.name);
    this.#nameOf.set(n, name);
    this.values.push(this.info(n, name));
    return name;
  }

  /** The initializer of a weight expression. */
  weight(n: Node): string {
    const known = this.#nameOf.get(n);
    if (known !== undefined) return known;
    elementTypeOf(n);
    const ref = this.#table.add(n);
    const name = this.#refs.get(ref) ?? this.#unique(ref.name);
    this.#refs.set(ref, name);
    this.weights.set(name, ref);
    this.#nameOf.set(n, name);
    return name;
  }

  isStatic(n: Node): boolean {
    return this.#static.has(n);
  }

  /** An int64 list; equal lists are one initializer. */
  ints(values: readonly number[]): string {
    const name = `[${values.join(",")}]`;
    this.lists.set(name, values);
    return name;
  }

  /** Adds the node that yields `n`. */
  node(n: Node, opType: string, inputs: readonly string[], attrs: Readonly<Record<string, OnnxAttribute>> = {}): void {
    this.#push(n, opType, inputs, attrs, this.value(n));
  }

  /** Adds a node on the way to `n` and returns the name of what it yields. */
  step(
    n: Node,
    suffix: string,
    opType: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, OnnxAttribute>> = {},
  ): string {
    const name = this.#unique(`${this.#named.get(n) ?? n.op.name}.${suffix}`);
    this.#push(n, opType, inputs, attrs, name);
    return name;
  }

  /** A copy of a value under another name: a graph may not yield an input, an initializer or one value twice. */
  copy(n: Node, base: string): string {
    const name = this.#unique(base);
    this.#push(n, "Identity", [this.value(n)], {}, name);
    return name;
  }

  #push(
    n: Node,
    opType: string,
    inputs: readonly string[],
    attrs: Readonly<Record<string, OnnxAttribute>>,
    output: string,
  ): void {
    this.nodes.push({
      name: output,
      opType,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(attrs).map(([k, v]) => attribute(k, v)),
      ...(n.loc && { docString: showLoc(n.loc) }),
    });
  }

  #unique(base: string): string {
    let name = base;
    for (let i = 1; this.#taken.has(name); i++) name = `${base}.${i}`;
    this.#taken.add(name);
    return name;
  }
}

/** @throws HeddleError for an element type that ONNX has not, or a quantised one. */
export function elementTypeOf(n: Node): number {
  const found = n.type.quant ? undefined : elementType(n.type.dtype);
  if (found !== undefined) return found;
  throw new HeddleError(`ONNX export has no tensors of type ${showType(n.type)}`, {
    subject: describe(n),
    loc: n.loc,
    hint: "cast it to f32",
  });
}
