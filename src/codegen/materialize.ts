/** Turns weight expressions into bytes: the reference interpreter computes them, once, when a program is compiled. */
import { hasBlocks } from "../ir/blocks.ts";
import { HeddleError, rethrow } from "../ir/error.ts";
import { evaluateNodes } from "../ir/evaluate/evaluate.ts";
import { encodeBf16, encodeF16 } from "../ir/evaluate/round.ts";
import type { Data, Precision, Tensor } from "../ir/evaluate/tensor.ts";
import { topo } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { blockScales } from "../ir/ops/block-scales.ts";
import { weightScales } from "../ir/ops/weight-scales.ts";
import { bitsOf, type DType, elements, showType, staticShape } from "../ir/type.ts";
import type { WeightSource } from "../weights/source.ts";
import { allRows, rowsOf, tableBelow } from "./row-pieces.ts";
import { storedBlocks } from "./stored-blocks.ts";
import type { Weight } from "./weights.ts";

/** Ops that move values and compute none: what was finite stays so. */
const moves = new Set([
  "param",
  "transpose",
  "slice",
  "reshape",
  "concat",
  "gather",
  "iota",
  "rotaryTable",
  "constant",
]);

/** Ops that search for what others then only apply: weights, biases and scales themselves all want it, one after the other, and it is found once. */
const searches = new Set<AnyOp>([weightScales, blockScales]);
type Found = WeakMap<Node, Tensor>;

const nodesOf = (root: Node): readonly Node[] => topo({ name: "", inputs: [], outputs: [root], state: [] });

/** Params below each weight, each once. */
const paramsOf = (root: Node): Node[] => nodesOf(root).filter((n) => n.op.name === "param");

/** Elements of a piece, about. */
const pieceElements = 1 << 22;

/**
 * The bytes of each weight, in order, little endian as every machine this runs on: one piece for each weight, or several for
 * one in blocks, which is copied as it is stored. A checkpoint tensor is read once, when the first expression needs it, and
 * dropped after the last one.
 * @param inPieces whether a large tensor that is stored as it is, or narrowed, may come in several pieces too.
 * @throws HeddleError where a value is not finite, naming the weight and the checkpoint tensors that it comes from.
 */
export function* materialize(
  weights: readonly Weight[],
  source: WeightSource,
  { inPieces = false } = {},
): Generator<Uint8Array> {
  const left = new Map<string, number>();
  const need = (name: string, by: number) => {
    const count = (left.get(name) ?? 0) + by;
    left.set(name, count);
    return count;
  };
  const params = weights.map((w) =>
    hasBlocks(w.type) ? [] : paramsOf(w.expression).map((p) => p.attrs.name as string),
  );
  for (const names of params) for (const name of names) need(name, 1);
  const read = new Map<string, Float32Array>();
  const found: Found = new WeakMap();
  for (const [i, w] of weights.entries()) {
    if (hasBlocks(w.type)) yield* storedBlocks(w, source);
    else if (inPieces && source.readRows && isLargeTensor(w)) yield* piecesOf(w, source);
    else if (inPieces && source.readRows && isOfLargeTable(w)) yield* computedPieces(w, params[i]!, source, found);
    else
      yield bytesOf(
        w,
        params[i]!,
        (n) => {
          const name = n.attrs.name as string;
          const values = read.get(name) ?? source.read(name, staticShape(n.type.shape));
          read.set(name, values);
          return values;
        },
        found,
      );
    for (const name of params[i]!) if (need(name, -1) === 0) read.delete(name);
  }
}

/** Encoding rounds by itself: a last cast from f32 need not be evaluated. */
function rootOf({ expression, type: { dtype } }: Weight): Node {
  const [from] = expression.op.name === "cast" ? expression.inputs : [];
  return from?.type.dtype === "f32" && (dtype === "f16" || dtype === "bf16") ? from : expression;
}

/** A tensor of the checkpoint, as it is or narrowed, of more elements than a piece. */
function isLargeTensor(w: Weight): boolean {
  const { op, type } = rootOf(w);
  return op.name === "param" && w.type.dtype !== "f64" && elements(type.shape) > pieceElements;
}

/** Elements of a table that is not to be in memory as a whole, several times over, while something is computed from it. */
const largeTable = 1 << 24;

/** Whether a weight is computed from a large table row by row. */
function isOfLargeTable(w: Weight): boolean {
  const table = tableBelow(w.expression);
  return table !== undefined && w.type.dtype !== "f64" && elements(table.type.shape) > largeTable;
}

/** The same weight in pieces of whole rows; what is searched for is found once, for all weights that want it. */
function* computedPieces(
  w: Weight,
  params: readonly string[],
  source: WeightSource,
  found: Found,
): Generator<Uint8Array> {
  const [, columns] = staticShape(tableBelow(w.expression)!.type.shape);
  const step = Math.max(1, Math.floor(pieceElements / columns!));
  for (const n of nodesOf(w.expression))
    if (searches.has(n.op) && !found.has(n)) found.set(n, allRows(n, step, source, found));
  const rows = w.type.shape[0] as number;
  for (let at = 0; at < rows; at += step)
    yield inPlace(w, () => stored(rowsOf(w.expression, at, Math.min(step, rows - at), source, found).data, w, params));
}

/** Whole rows of a large tensor at a time: an embedding table need not be in memory as a whole. */
function* piecesOf(w: Weight, source: WeightSource): Generator<Uint8Array> {
  const root = rootOf(w);
  const weight = { name: root.attrs.name as string, shape: staticShape(root.type.shape) };
  const rows = weight.shape[0]!;
  const columns = elements(root.type.shape) / rows;
  const step = Math.max(1, Math.floor(pieceElements / columns));
  for (let at = 0; at < rows; at += step) {
    const values = () => source.readRows!(weight, at, Math.min(step, rows - at));
    yield inPlace(w, () => encoded(values(), w, [weight.name], at * columns));
  }
}

function bytesOf(w: Weight, params: readonly string[], read: (param: Node) => Float32Array, found: Found): Uint8Array {
  return inPlace(w, () => {
    const { dtype } = w.type;
    const root = rootOf(w);
    return stored(evaluated(root, read, dtype === "f64" ? "f64" : "f32", found), w, params);
  });
}

function stored(values: Data, w: Weight, params: readonly string[]): Uint8Array {
  if (values instanceof Int32Array) return raw(encodeIntegers(values, w.type.dtype));
  if (params.length && !isMoved(rootOf(w))) checkFinite(values, w, params);
  return values instanceof Float64Array ? raw(values) : encoded(values, w, params);
}

/** @param first position of the first value in the weight. */
function encoded(values: Float32Array, w: Weight, params: readonly string[], first = 0): Uint8Array {
  const { dtype } = w.type;
  if (dtype === "f32") return raw(values);
  const bits = dtype === "f16" ? encodeF16(values) : encodeBf16(values);
  checkRange(bits, values, w, params, first);
  return raw(bits);
}

/** What goes wrong carries the weight's name and place. */
function inPlace(w: Weight, run: () => Uint8Array): Uint8Array {
  try {
    return run();
  } catch (e) {
    return rethrow(e, { subject: `weight ${w.name}`, loc: w.expression.loc });
  }
}

/** The interpreter may not change what it is given, so a tensor that is stored as it is need not be copied. */
function evaluated(root: Node, read: (param: Node) => Float32Array, precision: Precision, found: Found): Data {
  if (root.op.name === "param" && precision === "f32") return read(root);
  const types = new Map(paramsOf(root).map((p) => [p.attrs.name as string, p]));
  const known = new Map(nodesOf(root).flatMap((n) => (found.has(n) ? [[n, found.get(n)!] as const] : [])));
  const observe = (n: Node, value: Tensor) => {
    if (precision === "f32" && searches.has(n.op)) found.set(n, value);
  };
  return evaluateNodes([root], { precision, params: (name) => read(types.get(name)!), known, observe })[0]!.data;
}

/** Two's complement keeps the low bits of a negative number, so signed and unsigned are one. */
function encodeIntegers(values: Int32Array, dtype: DType): ArrayBufferView {
  const bits = bitsOf[dtype];
  return bits === 32 ? values : bits === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
}

const isMoved = (root: Node): boolean => nodesOf(root).every((n) => moves.has(n.op.name));

const raw = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

function checkFinite(values: Float32Array | Float64Array, w: Weight, params: readonly string[]): void {
  // x - x is 0 for every finite number and NaN for all else; a sum of those needs no branch per element.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  if (sum === 0) return;
  const at = values.findIndex((x) => !Number.isFinite(x));
  throw new HeddleError(`element ${at} of ${showType(w.type)} is ${values[at]}, computed from ${params.join(", ")}`, {
    hint: "check the checkpoint for values that are very large",
  });
}

function checkRange(
  bits: Uint16Array,
  values: Float32Array,
  w: Weight,
  params: readonly string[],
  first: number,
): void {
  const infinity = w.type.dtype === "f16" ? 0x7c00 : 0x7f80;
  for (let i = 0; i < bits.length; i++)
    if ((bits[i]! & infinity) === infinity)
      throw new HeddleError(
        `element ${first + i} of ${showType(w.type)} is ${values[i]}, more than ${w.type.dtype} can hold (from ${params.join(", ")})`,
        { hint: "compile with f32 weights" },
      );
}
