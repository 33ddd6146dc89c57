/**
 * A legal graph of HTP in fixed point from end to end. Between products the NPU has f16 or fixed point; each change between the two is a
 * pass over padded rows that nothing hides (docs/htp-legalisation.md), so floats stay only where nobody knows the range of a value. What
 * is computed in fixed point reads `quantize(op(dequantize(a), dequantize(b)))`, which is its definition: fixed-ops.ts makes it one op.
 */
import { type Graph, graph as makeGraph, rebuild, topo } from "../../ir/graph.ts";
import type { Node } from "../../ir/node.ts";
import * as ops from "../../ir/ops/index.ts";
import { type Encoding, encodingOf, integerRange } from "../../ir/ops/support/quant.ts";
import { withOrigin } from "../../ir/origin.ts";
import { type DType, isFloat } from "../../ir/type.ts";
import { findStatic } from "../statics.ts";
import { KnownRanges, type ReadWeight } from "./fixed-operands.ts";
import { computes, moves } from "./fixed-ops.ts";
import { hiddenInput } from "./seams.ts";

/** How values become integers, by the names of the graph before it is legalised. */
export type Encodings = ReadonlyMap<string, Encoding>;

type Fixed = Encoding & { readonly dtype: DType };

/** Probabilities: from 0 to 1 in steps of 2^-16. */
const probability: Fixed = { dtype: "u16", scale: 2 ** -16, offset: 0 };
/** A key whose score is this far below the smallest has a probability that rounds to nothing. */
const unseen = 20;

/** The name under which calibration knows the scores of an attention. */
export const scoresOf = (attention: string): string => `${attention}.scores`;

/** @param read the values of weights: scales of norms are encoded by their ranges. Without it only those that calibration named. */
export function toFixed(g: Graph, encodings: Encodings, read?: ReadWeight): Graph {
  const known = findStatic(g);
  const ranges = new KnownRanges(read);
  const counts = new Map<string, number>();
  for (const n of topo(g)) if (n.name && !moves.has(n.op)) counts.set(n.name, (counts.get(n.name) ?? 0) + 1);
  const encodingOfName = (name: string | undefined): Fixed | undefined => {
    // What is only moved may be what a name stands for: the half of a norm over pairs.
    const found = name !== undefined && (counts.get(name) ?? 1) === 1 ? encodings.get(name) : undefined;
    return found && { dtype: "u16", ...found };
  };
  const masks = masksOf(g, encodings);
  // What a value becomes after it was moved is known too.
  const later = new Map<Node, Fixed>();
  for (const n of topo(g).reverse()) {
    const to = n.op === ops.quantize ? unsigned(n.attrs as unknown as Fixed) : (encodingOfName(n.name) ?? later.get(n));
    const shift = n.op === ops.add && known.has(n.inputs[1]!) ? encodings.get(paramOf(n.inputs[1]!) ?? "") : undefined;
    if (to?.dtype === "u16" && shift)
      later.set(n.inputs[0]!, spanning(lowest(to) - highest(shift), highest(to) - lowest(shift)));
    if (to?.dtype === "u16" && (n.op === ops.quantize || moves.has(n.op)))
      for (const i of n.inputs) if (isFloat(i.type.dtype)) later.set(i, to);
  }
  const values = new Map<Node, Node>();
  const integers = new Map<Node, Node>();
  const floats = new Map<Node, Node>();
  const at = <T>(n: Node, build: () => T): T => withOrigin({ name: n.name && `${n.name}.fixed`, loc: n.loc }, build);
  // Of constants and weights the integers are made from what they were before they became halves: these have 11 bits.
  const encode = (x: Node, to: Fixed) => at(x, () => ops.quantize(known.has(x) ? uncast(x) : x, to));

  /** A value as integers; undefined where only its floats are known. */
  const fixedOf = (n: Node): Node | undefined => {
    const done = integers.get(n);
    if (done || !known.has(n)) return done;
    const value = splat(n);
    const named = encodings.get(paramOf(n) ?? "");
    const range = value === undefined && !named ? ranges.of(n) : undefined;
    const reach = range ? Math.max(-range.min, range.max) || 1 : named && magnitude(named);
    if (value === undefined && reach === undefined) return undefined;
    // HTP wants the zero of a norm's scale in the middle. A constant is exact: 2^14 steps from there.
    const isConstant = value !== undefined || valuesOf(n) !== undefined;
    const scale = isConstant ? Math.abs(value || reach || 1) / 2 ** 14 : reach! / 32767;
    const made = encode(n, { dtype: "u16", scale: Math.fround(scale), offset: -32768 });
    integers.set(n, made);
    return made;
  };
  const floatOf = (n: Node): Node => {
    const fixed = integers.get(n);
    if (!fixed || known.has(n)) return values.get(n)!;
    const done = floats.get(n) ?? at(n, () => ops.dequantize(fixed, { dtype: n.type.dtype }));
    floats.set(n, done);
    return done;
  };

  const resultOf = (n: Node): Fixed | undefined => {
    if (n.op === ops.softmax) return probability;
    const from = integers.get(n.inputs[0]!);
    const isAsFirst = (i: Node) =>
      !isFloat(i.type.dtype) || (integers.has(i) && same(typeOf(integers.get(i)!), typeOf(from!)));
    if (from && moves.has(n.op) && n.inputs.every(isAsFirst)) return typeOf(from);
    // Times a constant: the same integers.
    const factor = n.op === ops.mul && known.has(n.inputs[1]!) ? splat(n.inputs[1]!) : undefined;
    if (from && factor !== undefined && factor > 0) {
      const { dtype, scale, offset } = typeOf(from);
      return { dtype, scale: Math.fround(scale * factor), offset };
    }
    const table = n.op === ops.gather ? encodings.get(paramOf(n.inputs[0]!) ?? "") : undefined;
    if (table) return { dtype: "u16", ...table };
    return masks.get(n) ?? encodingOfName(n.name) ?? later.get(n) ?? implied(n);
  };
  /** What no name has, where it follows from the operands. */
  const implied = (n: Node): Fixed | undefined => {
    const [a, b] = n.inputs.map((i) => integers.get(i)).map((i) => i && typeOf(i));
    // Times a sign, nothing grows.
    const sign = a && n.op === ops.mul && known.has(n.inputs[1]!) ? ranges.of(n.inputs[1]!) : undefined;
    if (sign && sign.min >= -1 && sign.max <= 1)
      return a!.dtype === "u16" && a!.offset === -32768
        ? a
        : { dtype: "u16", scale: Math.fround(magnitude(a!) / 32767), offset: -32768 };
    if (!a || !b) return undefined;
    if (n.op === ops.concat) {
      const types = n.inputs.flatMap((i) => integers.get(i) ?? []).map(typeOf);
      if (types.length < n.inputs.length) return undefined;
      return spanning(Math.min(...types.map(lowest)), Math.max(...types.map(highest)));
    }
    // A mean of values, weighted by probabilities, lies among them.
    if (n.op === ops.matmul && same(a, probability)) return spanning(lowest(b), highest(b));
    if (n.op !== ops.mul) return undefined;
    const corners = [lowest(a), highest(a)].flatMap((x) => [x * lowest(b), x * highest(b)]);
    return spanning(Math.min(...corners), Math.max(...corners));
  };

  /** What integers are joined as; undefined where one of the parts is known as floats alone. */
  const joinedIn = (n: Node): Fixed | undefined =>
    n.inputs.every((i) => known.has(i) || integers.has(i))
      ? (encodingOfName(n.name) ?? later.get(n) ?? widest(n.inputs.flatMap((i) => integers.get(i) ?? []).map(typeOf)))
      : undefined;

  for (const n of topo(g)) {
    if (n.op === ops.inputOp && n.type.quant && n.type.dtype === "i8") {
      // HTP multiplies u16 by u8; these bytes are the same but for their highest bit.
      const { scale } = encodingOf("cache", n.type);
      const as = { ...n.attrs, dtype: "u8", scale, offset: -128 };
      values.set(n, n.op.build([], as, { name: n.name, loc: n.loc }));
    } else if (n.op === ops.inputOp && n.name === hiddenInput && isFloat(n.type.dtype) && encodings.has(hiddenInput)) {
      const as = { ...n.attrs, dtype: "u16", ...encodings.get(hiddenInput) };
      const given = n.op.build([], as, { name: n.name, loc: n.loc });
      values.set(n, given);
      integers.set(n, given);
    } else if (known.has(n) || g.inputs.includes(n)) values.set(n, n);
    else if (n.op === ops.dequantize) {
      integers.set(n, values.get(n.inputs[0]!)!);
    } else if (n.op === ops.quantize) {
      const to = unsigned(n.attrs as unknown as Fixed);
      const from = integers.get(n.inputs[0]!);
      const origin = { name: n.name, loc: n.loc };
      if (!from) values.set(n, ops.quantize.build([values.get(n.inputs[0]!)!], { ...to }, origin));
      else if (same(typeOf(from), to)) values.set(n, from);
      else values.set(n, ops.requantize.build([from], { ...to }, origin));
    } else if (n.op === ops.cast && n.type.dtype === "f32" && integers.has(n.inputs[0]!)) {
      values.set(
        n,
        ops.dequantize.build([integers.get(n.inputs[0]!)!], { dtype: "f32" }, { name: n.name, loc: n.loc }),
      );
    } else if (n.op === ops.cast && isFloat(n.type.dtype) && integers.has(n.inputs[0]!)) {
      // Of a seam: its floats are whatever type its readers compute in.
      integers.set(n, integers.get(n.inputs[0]!)!);
    } else if (n.op === ops.concat && isFloat(n.type.dtype) && joinedIn(n)) {
      const to = joinedIn(n)!;
      const parts = n.inputs.map((i) => {
        const from = integers.get(i);
        return from && !known.has(i)
          ? same(typeOf(from), to)
            ? from
            : at(i, () => ops.requantize(from, to))
          : encode(i, to);
      });
      integers.set(
        n,
        at(n, () => ops.concat(parts, n.attrs as { axis: number })),
      );
    } else {
      const to = isFloat(n.type.dtype) ? resultOf(n) : undefined;
      const table = n.op === ops.gather && known.has(n.inputs[0]!) ? n.inputs[0]! : undefined;
      const can = to && (computes.has(n.op) || table || (moves.has(n.op) && integers.has(n.inputs[0]!)));
      // A table is stored in the encoding of what is picked from it.
      const operandOf = (i: Node) =>
        !isFloat(i.type.dtype) ? values.get(i) : i === table ? encode(i, to!) : fixedOf(i);
      const operands = can ? n.inputs.map(operandOf) : [];
      const isFixed = can && operands.every((i) => i !== undefined) && operands.length > 0;
      const inputs = isFixed
        ? n.inputs.map((i, k) =>
            isFloat(i.type.dtype) ? at(i, () => ops.dequantize(operands[k]!, { dtype: i.type.dtype })) : operands[k]!,
          )
        : n.inputs.map(floatOf);
      const value = rebuild(n, inputs);
      values.set(n, value);
      if (to && (isFixed || computes.has(n.op) || masks.has(n)))
        integers.set(
          n,
          at(n, () => ops.quantize(value, to)),
        );
    }
  }
  // An output in floats that has been encoded is yielded from its integers.
  return makeGraph(g.name, { inputs: g.inputs.map((n) => values.get(n)!), outputs: g.outputs.map(floatOf) });
}

const typeOf = (n: Node): Fixed => ({ dtype: n.type.dtype, ...encodingOf("x", n.type) });
const same = (a: Fixed, b: Fixed): boolean => a.dtype === b.dtype && a.scale === b.scale && a.offset === b.offset;
/** i8 as HTP multiplies it. */
const unsigned = (to: Fixed): Fixed =>
  to.dtype === "i8" ? { dtype: "u8", scale: to.scale, offset: to.offset - 128 } : to;

const lowest = ({ scale, offset }: Encoding): number => offset * scale;
export const highest = ({ scale, offset, dtype = "u16" }: Encoding & { readonly dtype?: DType }): number =>
  (integerRange(dtype)[1] + offset) * scale;
const magnitude = (e: Encoding): number => Math.max(-lowest(e), highest(e));

/** The one that all others fit into but for less than a step; undefined where there is none, or nothing else. */
const widest = (all: readonly Fixed[]): Fixed | undefined => {
  const fits = (b: Fixed, a: Fixed) => lowest(a) < lowest(b) + a.scale && highest(b) < highest(a) + a.scale;
  const found = all.find((a) => all.every((b) => fits(b, a)));
  return found && all.some((b) => !same(b, found)) ? found : undefined;
};

/** A value as it was before it was cast. */
const uncast = (n: Node): Node => (n.op === ops.cast && isFloat(n.inputs[0]!.type.dtype) ? uncast(n.inputs[0]!) : n);

/** The name of a weight, seen through casts. */
const paramOf = (n: Node): string | undefined =>
  n.op === ops.cast ? paramOf(n.inputs[0]!) : n.op === ops.param ? (n.name ?? undefined) : undefined;

/** The numbers of a constant, seen through casts; one where all are the same and it says so. */
export const valuesOf = (n: Node): readonly number[] | undefined =>
  n.op === ops.cast || n.op === ops.reshape
    ? valuesOf(n.inputs[0]!)
    : n.op === ops.constant
      ? (n.attrs.values as readonly number[])
      : undefined;

/** The one number of a constant. */
function splat(n: Node): number | undefined {
  const values = valuesOf(n);
  return values?.every((v) => v === values[0]) ? values[0] : undefined;
}

/** Encodings of scores, masked scores and masks of each attention whose scores calibration saw: softmax(scores + mask). */
function masksOf(g: Graph, encodings: Encodings): Map<Node, Fixed> {
  const found = new Map<Node, Fixed>();
  const masks = new Set<Node>();
  let depth = 0;
  for (const soft of topo(g)) {
    const sum = soft.inputs[0];
    const attention = soft.name?.replace(/\.softmax$/, "");
    const encoding = attention === undefined ? undefined : encodings.get(scoresOf(attention));
    if (soft.op !== ops.softmax || sum?.op !== ops.add || !encoding) continue;
    const [low, high] = [lowest(encoding), highest(encoding)];
    const [scores, mask] = sum.inputs as [Node, Node];
    const areScores = (n: Node): void => {
      found.set(n, { dtype: "u16", ...encoding });
      if (n.op === ops.reshape || n.op === ops.concat) n.inputs.forEach(areScores);
    };
    areScores(scores);
    // From the largest score a mask leads below the smallest; sums end there.
    depth = Math.max(depth, high - low + unseen);
    found.set(sum, spanning(low - unseen, high));
    masks.add(mask);
  }
  // One for all layers, so that it is encoded once.
  for (const mask of masks) found.set(mask, { dtype: "u16", scale: Math.fround(depth / 65535), offset: -65535 });
  return found;
}

/** The encoding of 16 bits that spans a range with zero in it. */
export function spanning(low: number, high: number): Fixed {
  const scale = Math.fround((high - low) / 65535);
  return { dtype: "u16", scale, offset: Math.max(-65535, Math.min(0, Math.round(low / scale))) };
}
