/** Collects the tensors and nodes of one QNN graph while its nodes are lowered in execution order. */
import { hasBlocks } from "../../ir/blocks.ts";
import { HeddleError, showLoc } from "../../ir/error.ts";
import { type Graph, topo } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { nodeNames } from "../../ir/print.ts";
import type { WeightTable } from "../weights.ts";
import { dataTypeOf, dimsOf, quantizeOf } from "./encode.ts";
import type { Param } from "./params.ts";
import type { QnnNode, QnnPackage, QnnParam, QnnTensor, QnnTensorKind } from "./types.ts";

/** A constant of at most this many numbers is written into the JSON, where a reader sees it. */
const inlineElements = 16;

/** How integers that are known at compile time are encoded. */
export interface FixedStatic {
  /** One for each index of `axis`. */
  readonly scales: Node;
  /** Of an integer, in elements of whole bytes. */
  readonly bits: number;
  /** Default 0. */
  readonly axis?: number;
  /** Integers that multiply the scales, [scales, blocks]. */
  readonly blockScales?: Node;
}

/** Bits of the scale of a block: 1 to 16. */
const blockScaleBits = 4;

export class Builder {
  readonly tensors: QnnTensor[] = [];
  readonly nodes: QnnNode[] = [];
  /** Whether weights of the graph are in blocks of a few bits. */
  readonly hasBlocks: boolean;
  readonly #graph: Graph;
  readonly #weights: WeightTable;
  readonly #static: ReadonlySet<Node>;
  readonly #outputs: ReadonlySet<Node>;
  readonly #named: ReadonlyMap<Node, string>;
  readonly #taken = new Set<string>();
  readonly #tensorOf = new Map<Node, string>();
  readonly #fixed: (FixedStatic & { readonly n: Node; readonly tensor: string })[] = [];

  constructor(g: Graph, known: ReadonlySet<Node>, weights: WeightTable) {
    this.#graph = g;
    this.hasBlocks = topo(g).some((n) => hasBlocks(n.type));
    this.#weights = weights;
    this.#static = known;
    this.#outputs = new Set(g.outputs);
    this.#named = nodeNames(g);
  }

  /** Declares the tensor of a value under its own name. Inputs and state come before all else: their names are the ABI. */
  declare(n: Node, kind: QnnTensorKind): string {
    const name = this.#unique(this.#named.get(n) ?? n.op.name);
    this.#add({ name, type: kind, dataType: dataTypeOf(n), dims: dimsOf(n) }, n);
    this.#tensorOf.set(n, name);
    return name;
  }

  /** The tensor of a value that is computed already: an input, a weight or the output of an earlier node. */
  tensor(n: Node): string {
    return this.#tensorOf.get(n) ?? (this.#static.has(n) ? this.#declareStatic(n) : this.declare(n, this.kindOf(n)));
  }

  /** The tensor of a value that is made while lowering and known at compile time. */
  constant(n: Node): string {
    return this.#tensorOf.get(n) ?? this.#declareStatic(n);
  }

  /** The step of a value in fixed point; undefined of floats. */
  stepOf(n: Node): number | undefined {
    const name = this.tensor(n);
    const { quantize } = this.tensors.find((t) => t.name === name)!;
    return quantize && "scale" in quantize ? quantize.scale : undefined;
  }

  /** Lets a value share the tensor of another, as state that is updated in place does. */
  alias(n: Node, of: Node): void {
    this.#tensorOf.set(n, this.tensor(of));
  }

  /** Whether a value already has a tensor. */
  has(n: Node): boolean {
    return this.#tensorOf.has(n);
  }

  kindOf(n: Node): QnnTensorKind {
    return this.#outputs.has(n) ? "APP_READ" : "NATIVE";
  }

  /** Adds the QNN node that computes `n`, from its own operands unless others, values or names of tensors, are given. */
  node(
    n: Node,
    type: string,
    params: readonly Param[] = [],
    pack: QnnPackage = "qti.aisw",
    operands: readonly (Node | string)[] = n.inputs,
  ): void {
    const inputs = operands.map((i) => (typeof i === "string" ? i : this.tensor(i)));
    const output = this.tensor(n);
    this.#push(n, this.#named.get(n) ?? output, type, params, pack, inputs, output);
  }

  /** Adds a node on the way to `n` or from it, whose result is as `n` but for its dims. @returns its tensor, `<name of n>.<part>` */
  step(
    n: Node,
    part: string,
    type: string,
    params: readonly Param[],
    operands: readonly (Node | string)[],
    dims: readonly number[],
  ): string {
    const inputs = operands.map((i) => (typeof i === "string" ? i : this.tensor(i)));
    const output = this.#unique(`${this.#named.get(n) ?? n.op.name}.${part}`);
    this.#add({ name: output, type: "NATIVE", dataType: dataTypeOf(n), dims }, n);
    this.#push(n, output, type, params, "qti.aisw", inputs, output);
    return output;
  }

  #push(
    n: Node,
    name: string,
    type: string,
    params: readonly Param[],
    pack: QnnPackage,
    inputs: readonly string[],
    output: string,
  ): void {
    this.nodes.push({
      name,
      package: pack,
      type,
      params: params.map((p) => this.#param(name, p)),
      inputs,
      outputs: [output],
      ...(n.loc && { loc: showLoc(n.loc) }),
    });
  }

  /**
   * Declares integers that are known at compile time with a scale for each index of an axis. Values and scales lie in
   * `weights.bin`. @throws HeddleError where one of them is not known at compile time.
   */
  fixedStatic(n: Node, how: FixedStatic): string {
    const { scales, bits, axis = 0, blockScales } = how;
    const known = this.#fixed.find((f) => f.n === n && f.scales === scales);
    if (known) return known.tensor;
    for (const part of [n, scales, ...(blockScales ? [blockScales] : [])])
      if (!this.#isKnown(part))
        throw new HeddleError("must be known at compile time: QNN takes quantised weights as constants only", {
          subject: describe(part),
          loc: part.loc,
        });
    const values = this.#weights.add(n);
    const encoding = { axis, scales: this.#placeOf(scales) };
    const tensor = this.#unique(values.name);
    this.tensors.push({
      name: tensor,
      type: "STATIC",
      dataType: bits === 32 ? "SFIXED_POINT_32" : "SFIXED_POINT_8",
      dims: dimsOf(n),
      quantize: blockScales
        ? {
            encoding: "BLOCKWISE_EXPANSION",
            bitwidth: blockScaleBits,
            ...encoding,
            blocks: blockScales.type.shape[1] as number,
            blockScales: this.#placeOf(blockScales),
          }
        : bits === 4
          ? { encoding: "BW_AXIS_SCALE_OFFSET", bitwidth: bits, ...encoding }
          : { encoding: "AXIS_SCALE_OFFSET", ...encoding },
      data: { offset: values.offset, bytes: values.bytes },
    });
    this.#fixed.push({ n, ...how, tensor });
    return tensor;
  }

  #placeOf(n: Node): { readonly offset: number; readonly bytes: number } {
    const { offset, bytes } = this.#weights.add(n);
    return { offset, bytes };
  }

  /** Also of a value that is made while lowering, which the graph does not have. */
  #isKnown(n: Node): boolean {
    return this.#static.has(n) || (n.op.name !== "input" && n.inputs.every((i) => this.#isKnown(i)));
  }

  /** Copies a value into an output tensor of its own: a graph may not yield an input, a weight, or one value twice. */
  copy(n: Node, name: string): string {
    const output = this.#unique(name);
    this.#add({ name: output, type: "APP_READ", dataType: dataTypeOf(n), dims: dimsOf(n) }, n);
    this.nodes.push({
      name: output,
      package: "qti.aisw",
      type: "Reshape",
      params: [],
      inputs: [this.tensor(n)],
      outputs: [output],
    });
    return output;
  }

  #param(node: string, p: Param): QnnParam {
    if ("scalar" in p) return p;
    const tensor = this.#unique(`${node}.${p.name}`);
    this.tensors.push({ name: tensor, type: "STATIC", dataType: p.dataType, dims: p.dims, inline: p.values });
    return { name: p.name, tensor };
  }

  #declareStatic(n: Node): string {
    const values = constantValues(n);
    const type = { type: "STATIC", dataType: dataTypeOf(n), dims: dimsOf(n) } as const;
    let name: string;
    if (values) {
      name = this.#unique(this.#named.get(n) ?? n.op.name);
      this.#add({ name, ...type, inline: values }, n);
    } else {
      const { name: base, offset, bytes } = this.#weights.add(n);
      name = this.#unique(base);
      this.#add({ name, ...type, data: { offset, bytes } }, n);
    }
    this.#tensorOf.set(n, name);
    return name;
  }

  #add(t: QnnTensor, n: Node): void {
    this.tensors.push(n.type.quant ? { ...t, quantize: quantizeOf(n.type.quant) } : t);
  }

  #unique(base: string): string {
    let name = base;
    for (let i = 1; this.#taken.has(name); i++) name = `${base}.${i}`;
    this.#taken.add(name);
    return name;
  }

  /** Nodes that must be computed, in order. */
  get work(): readonly Node[] {
    const inputs = new Set(this.#graph.inputs);
    return topo(this.#graph).filter((n) => !this.#static.has(n) && !inputs.has(n));
  }
}

/** The values of a small constant; undefined where they go into `weights.bin`. JSON has no infinity. */
function constantValues(n: Node): readonly number[] | undefined {
  if (n.op.name !== "constant") return undefined;
  const values = n.attrs.values as readonly number[];
  const count = dimsOf(n).reduce((a, d) => a * d, 1);
  if (count > inlineElements || !values.every(Number.isFinite)) return undefined;
  return values.length === 1 ? Array<number>(count).fill(values[0]!) : values;
}
