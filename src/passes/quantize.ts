import { HeddleError } from "../ir/error.ts";
import { type Graph, mapGraph } from "../ir/graph.ts";
import { describe, type Node, renamed } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import * as ops from "../ir/ops/index.ts";
import { blockSizes } from "../ir/ops/support/quant.ts";
import { opPattern, type Pat, v } from "../ir/pattern.ts";
import { nodeNames } from "../ir/print.ts";
import type { Module } from "../ir/program.ts";
import { mergeCommon, type Rule, rewrite, rule } from "../ir/rewrite.ts";
import type { DType } from "../ir/type.ts";
import { type Pass, pass } from "./pass.ts";
import { prove } from "./prove.ts";
import { encodingFor, type Range } from "./support/encoding.ts";
import { inPlaceOf } from "./support/naming.ts";
import { isStatic } from "./support/static.ts";

/** Bits of the weights of a linear, or `float` where it stays as it is. */
export type WeightBits = 4 | 8 | "float";

export type BlockSize = (typeof blockSizes)[number];

export interface QuantizeOptions {
  /** The range of each value that is quantised, by its name in the graph that the pass is given. */
  readonly ranges: Readonly<Record<string, Range>>;
  /** How much errors of each column of weights matter, by the name of what the product reads: scales of 4 bits have least error so weighted. */
  readonly importance?: Readonly<Record<string, readonly number[]>>;
  /** What the weights of a linear become, by the name of its result. */
  readonly bits: (linear: Node, name: string) => WeightBits;
  /** Of what products read. Default u16. */
  readonly activations?: DType;
  /** What they yield: fixed point of the same type, with the range that calibration saw, or floats. Default fixed. */
  readonly results?: "fixed" | "float";
  /** How scales of weights are chosen. Default: mse for 4 bits, max for 8. */
  readonly method?: "max" | "mse";
  /** Inputs that share a scale in weights of 4 bits. Default: all, one scale per output channel. */
  readonly blockSize?: BlockSize;
}

/** The linears that have weights, with their names: what a quantisation may choose from. */
export function linearsOf(g: Graph): Map<Node, string> {
  return new Map([...nodeNames(g)].filter(([n]) => n.op === ops.linear && isStatic(n.inputs[1]!)));
}

/** Whether a linear yields what the graph does: the head of a language model. */
export const isHead = (g: Graph, n: Node): boolean => g.outputs.includes(n);

/** A node in the place of `n` that is called exactly `name`. */
const calledAt = (n: Node, name: string, build: () => Node): Node => renamed(inPlaceOf(n, name, build), { name });

/** The range of a value by its name. @throws HeddleError where calibration did not see it. */
export function rangeOf(n: Node, names: ReadonlyMap<Node, string>, ranges: Readonly<Record<string, Range>>): Range {
  const name = names.get(n)!;
  const range = ranges[name];
  if (range) return range;
  throw new HeddleError(`calibration did not see %${name}`, {
    subject: describe(n),
    loc: n.loc,
    hint: "calibrate again: compile without --calibration, or with a text instead of a calibration.json of another program",
  });
}

/** Of a value: its element type with scale and offset. */
type TypedEncoding = { readonly dtype: DType; readonly scale: number; readonly offset: number };

/** Makes the quantised form of a linear on operands that may have been rebuilt; undefined where it stays in floats. */
export type Island = (original: Node, inputs: readonly Node[]) => Node | undefined;

/** What becomes of each linear of `g`. @throws HeddleError (when called) for a value that calibration did not see. */
export function islandsOf(g: Graph, options: QuantizeOptions): Island {
  const names = nodeNames(g);
  const linears = linearsOf(g);
  const { activations = "u16", results = "fixed" } = options;
  const encode = (n: Node) => ({ dtype: activations, ...encodingFor(rangeOf(n, names, options.ranges), activations) });
  return (n, [x, w, b]) => {
    const name = linears.get(n);
    const bits = name === undefined ? "float" : options.bits(n, name);
    if (bits === "float") return undefined;
    const from = encode(n.inputs[0]!);
    const method = options.method ?? (bits === 4 ? "mse" : "max");
    const called = (part: string, build: () => Node) => calledAt(n, `${name}.${part}`, build);
    const xq = calledAt(x!, `${names.get(n.inputs[0]!)}.q`, () => ops.quantize(x!, from));
    const blockSize = bits === 4 ? checkedBlockSize(n, name!, options.blockSize) : undefined;
    const weights = [w!, ...(bits === 4 && method === "mse" ? importanceOf(n.inputs[0]!, names, options) : [])];
    const scales = called("scales", () =>
      ops.weightScales.build(weights, { bits, method, ...(blockSize && { blockSize }) }),
    );
    const blocks = blockSize
      ? [called("blocks", () => ops.blockScales.build([w!, scales, ...weights.slice(1)], { blockSize }))]
      : [];
    const wq = called(`w${bits}`, () => ops.quantizeWeight.build([w!, scales, ...blocks], { bits }));
    const bias = b ? [called("bias", () => ops.quantizeBias(b, scales, { xScale: from.scale }))] : [];
    const linear = blockSize ? ops.blockQuantizedLinear : ops.quantizedLinear;
    const product = (to: TypedEncoding) => linear.build([xq, wq, scales, ...blocks, ...bias], to);
    if (results === "float") return calledAt(n, name!, () => product({ dtype: "f32", scale: 1, offset: 0 }));
    const y = called("q", () => product(encode(n)));
    return calledAt(n, name!, () => ops.dequantize(y, { dtype: n.type.dtype }));
  };
}

/** How much each channel of `x` matters, where it is known. @throws HeddleError where it was found for another size of the model. */
function importanceOf(x: Node, names: ReadonlyMap<Node, string>, { importance }: QuantizeOptions): Node[] {
  const values = importance?.[names.get(x)!];
  const channels = x.type.shape.at(-1) as number;
  if (!values) return [];
  if (values.length === channels)
    return [calledAt(x, `${names.get(x)}.importance`, () => ops.constant({ dtype: "f32", shape: [channels], values }))];
  throw new HeddleError(`calibration saw ${values.length} channels of %${names.get(x)}, which has ${channels}`, {
    subject: describe(x),
    loc: x.loc,
    hint: "calibrate again: compile without --calibration, or with a text instead of a calibration.json of another size of the model",
  });
}

/** @throws HeddleError where it does not divide the rows of the weights of `n`. */
function checkedBlockSize(n: Node, name: string, blockSize: BlockSize | undefined): BlockSize | undefined {
  const columns = n.inputs[1]!.type.shape[1] as number;
  if (blockSize === undefined || columns % blockSize === 0) return blockSize;
  const fitting = blockSizes.filter((size) => columns % size === 0);
  throw new HeddleError(`has ${columns} inputs, which do not divide into blocks of ${blockSize}`, {
    subject: describe({ op: n.op, name }),
    loc: n.loc,
    hint: `${fitting.length ? `--block-size ${fitting.join(" or ")}, or ` : ""}--block-size none, for one scale per output channel`,
  });
}

function quantizeGraph(g: Graph, options: QuantizeOptions, hit: () => void): Graph {
  const island = islandsOf(g, options);
  const quantized = mapGraph(g, (n, original) => {
    const made = island(original, n.inputs);
    if (made) hit();
    return made ?? n;
  });
  return mergeCommon(quantized);
}

/** A product in floats as what the quantised one yields. */
const inTypeOf = (n: Node<TypedEncoding>, y: Node): Node => (n.type.dtype === "f32" ? y : ops.quantize(y, n.attrs));

/**
 * Without rounding, a quantised product is the product of what its operands stand for, with a bias or without.
 * @param more what the product reads of its weights besides their scales.
 */
const meaningsOf = (product: AnyOp, ...more: Pat<unknown>[]): Rule[] =>
  [[ops.quantizeBias.pat(v("b"), v("s"))], []].map((bias) =>
    rule(
      `meaning-of-${bias.length > 0 ? "" : "unbiased-"}${product.name}`,
      opPattern(product, [
        ops.quantize.pat(v("x")),
        opPattern(ops.quantizeWeight, [v("w"), v("s"), ...more]),
        v("s"),
        ...more,
        ...bias,
      ]).as("n") as Pat<Product>,
      ({ x, w, b, n }) => inTypeOf(n, b ? ops.linear(x, w, b) : ops.linear(x, w)),
    ),
  );
type Product = { readonly x: Node; readonly w: Node; readonly b?: Node; readonly n: Node<TypedEncoding> };

const meanings = [
  rule("meaning-of-round-trip", ops.dequantize.pat(ops.quantize.pat(v("x"))), ({ x }) => x),
  ...meaningsOf(ops.quantizedLinear),
  ...meaningsOf(ops.blockQuantizedLinear, v("blocks")),
];

/** What a quantised graph would compute if nothing were rounded. */
export const unquantized = (g: Graph): Graph => rewrite(g, meanings).graph;

/**
 * Linears become products of integers between `quantize` and `dequantize`; everything else stays in floats. Weights get a
 * symmetric scale per output channel, or also one per block of inputs, chosen when they are written; activations get encodings from
 * what calibration saw; results stay in floats or get encodings too. The
 * proof is of the graph without its roundings: how much those cost is what the compiler's report measures.
 * @throws HeddleError for a value that calibration did not see.
 */
export const quantizePass = (options: QuantizeOptions): Pass =>
  pass("quantize", (graph, context) => quantizeGraph(graph, options, () => context.hit("quantize-linear")), {
    doc: "Products run in integers: weights of 8 or 4 bits with a scale per channel or block, activations in fixed point.",
    prove: (before: Module, after: Module, proof) => prove(before.graph, unquantized(after.graph), proof),
  });
