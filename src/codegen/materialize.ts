/** Turns weight expressions into bytes: the reference interpreter computes them, once, when a program is compiled. */
import { hasBlocks } from "../ir/blocks.ts";
import { HeddleError, rethrow } from "../ir/error.ts";
import { evaluateNodes } from "../ir/evaluate/evaluate.ts";
import { encodeBf16, encodeF16 } from "../ir/evaluate/round.ts";
import type { Data, Precision } from "../ir/evaluate/tensor.ts";
import { topo } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import { bitsOf, type DType, showType, staticShape } from "../ir/type.ts";
import type { WeightSource } from "../weights/source.ts";
import { storedBlocks } from "./stored-blocks.ts";
import type { Weight } from "./weights.ts";

/** Ops that move values and compute none: what was finite stays so. */
const moves = new Set(["param", "transpose", "slice", "reshape", "concat", "gather", "iota", "constant"]);

/** Params below each weight, each once. */
function paramsOf(root: Node): Node[] {
  return topo({ name: "", inputs: [], outputs: [root], state: [] }).filter((n) => n.op.name === "param");
}

/**
 * The bytes of each weight, in order, little endian as every machine this runs on: one piece for each weight, or several for
 * one in blocks, which is copied as it is stored. A checkpoint tensor is read once, when the first expression needs it, and
 * dropped after the last one.
 * @throws HeddleError where a value is not finite, naming the weight and the checkpoint tensors that it comes from.
 */
export function* materialize(weights: readonly Weight[], source: WeightSource): Generator<Uint8Array> {
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
  for (const [i, w] of weights.entries()) {
    if (hasBlocks(w.type)) yield* storedBlocks(w, source);
    else
      yield bytesOf(w, params[i]!, (n) => {
        const name = n.attrs.name as string;
        const values = read.get(name) ?? source.read(name, staticShape(n.type.shape));
        read.set(name, values);
        return values;
      });
    for (const name of params[i]!) if (need(name, -1) === 0) read.delete(name);
  }
}

function bytesOf(w: Weight, params: readonly string[], read: (param: Node) => Float32Array): Uint8Array {
  try {
    const { dtype } = w.type;
    // Encoding rounds by itself: a last cast from f32 need not be evaluated.
    const [from] = w.expression.op.name === "cast" ? w.expression.inputs : [];
    const isNarrowing = (dtype === "f16" || dtype === "bf16") && from?.type.dtype === "f32";
    const root = isNarrowing ? from : w.expression;
    const values = evaluated(root, read, dtype === "f64" ? "f64" : "f32");
    if (values instanceof Int32Array) return raw(encodeIntegers(values, dtype));
    if (params.length && !isMoved(root)) checkFinite(values, w, params);
    if (values instanceof Float64Array || dtype === "f32") return raw(values);
    const bits = dtype === "f16" ? encodeF16(values) : encodeBf16(values);
    checkRange(bits, values, w, params);
    return raw(bits);
  } catch (e) {
    return rethrow(e, { subject: `weight ${w.name}`, loc: w.expression.loc });
  }
}

/** The interpreter may not change what it is given, so a tensor that is stored as it is need not be copied. */
function evaluated(root: Node, read: (param: Node) => Float32Array, precision: Precision): Data {
  if (root.op.name === "param" && precision === "f32") return read(root);
  const types = new Map(paramsOf(root).map((p) => [p.attrs.name as string, p]));
  return evaluateNodes([root], { precision, params: (name) => read(types.get(name)!) })[0]!.data;
}

/** Two's complement keeps the low bits of a negative number, so signed and unsigned are one. */
function encodeIntegers(values: Int32Array, dtype: DType): ArrayBufferView {
  const bits = bitsOf[dtype];
  return bits === 32 ? values : bits === 16 ? Uint16Array.from(values) : Uint8Array.from(values);
}

const isMoved = (root: Node): boolean =>
  topo({ name: "", inputs: [], outputs: [root], state: [] }).every((n) => moves.has(n.op.name));

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

function checkRange(bits: Uint16Array, values: Float32Array, w: Weight, params: readonly string[]): void {
  const infinity = w.type.dtype === "f16" ? 0x7c00 : 0x7f80;
  for (let i = 0; i < bits.length; i++)
    if ((bits[i]! & infinity) === infinity)
      throw new HeddleError(
        `element ${i} of ${showType(w.type)} is ${values[i]}, more than ${w.type.dtype} can hold (from ${params.join(", ")})`,
        { hint: "compile with f32 weights" },
      );
}
