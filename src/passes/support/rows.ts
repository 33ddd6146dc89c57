/**
 * Which ops treat rows apart: row i of the result depends on row i of some operands and on nothing else of them. A graph whose
 * only exception is attention can be run a few rows at a time; and a row that is picked from a result can be picked before.
 */
import type { Node } from "../../ir/node.ts";
import type { AnyOp } from "../../ir/op.ts";
import * as ops from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import { product, type Shape } from "../../ir/type.ts";

const unary = [
  ops.exp,
  ops.tanh,
  ops.erf,
  ops.sqrt,
  ops.rsqrt,
  ops.sin,
  ops.cos,
  ops.gelu,
  ops.geluTanh,
  ops.sigmoid,
  ops.silu,
  ops.cast,
];
const elementwise = new Set<AnyOp>([...unary, ops.add, ops.sub, ops.mul, ops.div, ops.maximum, ops.less, ops.select]);
/** Ops over the last axis, or with weights: the operands that carry rows. */
const alongRows = new Map<AnyOp, readonly number[]>([
  [ops.linear, [0]],
  [ops.linearAdd, [0, 3]],
  [ops.mlp, [0, 5]],
  [ops.gatedMlp, [0]],
  [ops.normalize, [0]],
  [ops.layerNorm, [0]],
  [ops.rmsNorm, [0]],
]);
const sources = new Set<AnyOp>([ops.inputOp, ops.iota, ops.constant]);
const reductions = new Set<AnyOp>([ops.softmax, ops.reduceSum, ops.reduceMax]);
const moves = new Set<AnyOp>([ops.transpose, ops.splitHeads, ops.mergeHeads]);

/** The axes of a shape that count tokens. */
const tokenAxes = (shape: Shape, token: string): number[] =>
  shape.flatMap((d, i) => (typeof d !== "number" && d.sym === token ? [i] : []));

/** How many elements lie in front of the token axis: a reshape that keeps them keeps each token's own elements together. */
const inFront = (shape: Shape, token: string): string => product(shape.slice(0, tokenAxes(shape, token)[0]!));

/** Whether `n` keeps tokens apart, so that running it on some of them gives those rows of the whole. Attention does not. */
export function keepsTokensApart(n: Node, token: string): boolean {
  const carried = n.inputs.map((i) => tokenAxes(i.type.shape, token));
  const made = tokenAxes(n.type.shape, token).length;
  // A row for each token out of nothing: only where all rows are alike, given by the caller, or counted by iota.
  if (carried.every((axes) => axes.length === 0)) return made === 0 || (made === 1 && sources.has(n.op));
  if (carried.some((axes) => axes.length > 1) || made !== 1) return false;
  if (elementwise.has(n.op) || moves.has(n.op) || n.op === ops.rope) return true;
  if (n.op === ops.reshape) return inFront(n.inputs[0]!.type.shape, token) === inFront(n.type.shape, token);
  const rows = alongRows.get(n.op);
  if (rows)
    return carried.every(
      (axes, i) => axes.length === 0 || (rows.includes(i) && axes[0]! < n.inputs[i]!.type.shape.length - 1),
    );
  if (n.op === ops.gather) return carried[0]!.length === 0 || carried[0]![0] !== axisOf(n);
  if (reductions.has(n.op) || n.op === ops.slice || n.op === ops.concat)
    return carried.every((axes) => axes[0] !== axisOf(n));
  if (n.op === ops.matmul) return carried[1]!.length === 0 && carried[0]![0] !== contracted(n);
  return false;
}

const axisOf = (n: Node): number => resolveAxis(n.attrs.axis as number, n.inputs[0]!.type.shape);
/** The axis of a that a matrix product sums over. */
const contracted = (n: Node): number => n.inputs[0]!.type.shape.length - (n.attrs.transposeA ? 2 : 1);

/**
 * The operands of which row i (along the first axis) is all that row i of `n` needs; undefined where rows are not kept.
 * Other operands are shared by all rows.
 */
export function rowOperands(n: Node): readonly number[] | undefined {
  const rank = n.type.shape.length;
  const rows = alongRows.get(n.op);
  // The only axis of a vector is its columns.
  if (rows) return rank > 1 ? rows.filter((i) => n.inputs[i]) : undefined;
  if (!elementwise.has(n.op)) return undefined;
  return n.inputs.flatMap((x, i) => (x.type.shape.length === rank && x.type.shape[0] !== 1 ? [i] : []));
}
