import type { Node } from "../ir/node.ts";
import { cast, concat, reshape, slice, transpose } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { rule } from "../ir/rewrite.ts";
import { type Dim, sameShape, sameType } from "../ir/type.ts";
import { rules } from "./pass.ts";

interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly size: Dim;
}
const cutOf = (n: Node): Cut => n.attrs as unknown as Cut;
const permOf = (n: Node): readonly number[] => n.attrs.perm as readonly number[];
const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Axes count from the front. */
const front = (axis: number, n: Node): number => (axis < 0 ? axis + n.type.shape.length : axis);

const simplifications = [
  // Transposing by p and then by q is transposing by p after q.
  rule("transpose-transpose", transpose.pat(transpose.pat(v("x")).as("inner")).as("outer"), ({ x, inner, outer }) =>
    transpose(x, { perm: outer.attrs.perm.map((axis) => inner.attrs.perm[axis]!) }),
  ),
  rule("transpose-nothing", transpose.pat(v("x")).as("n"), ({ x, n }) =>
    same(n.attrs.perm, [...n.attrs.perm.keys()]) ? x : n,
  ),
  rule("reshape-reshape", reshape.pat(reshape.pat(v("x"))).as("n"), ({ x, n }) => reshape(x, n.attrs)),
  rule("reshape-nothing", reshape.pat(v("x")).as("n"), ({ x, n }) => (sameShape(x.type.shape, n.type.shape) ? x : n)),
  rule("cast-nothing", cast.pat(v("x")).as("n"), ({ x, n }) => (sameType(x.type, n.type) ? x : n)),
  // A cut that takes everything is the tensor.
  rule("slice-nothing", slice.pat(v("x")).as("n"), ({ x, n }) => (sameShape(x.type.shape, n.type.shape) ? x : n)),
  // Cuts of a cut along one axis add their starts.
  rule("slice-slice", slice.pat(slice.pat(v("x")).as("inner")).as("outer"), ({ x, inner, outer }) => {
    const axis = front(inner.attrs.axis, x);
    if (axis !== front(outer.attrs.axis, x)) return outer;
    return slice(x, { axis, start: inner.attrs.start + outer.attrs.start, size: outer.attrs.size });
  }),
  rule("concat-of-one", concat.pat(v("x")), ({ x }) => x),
  // Cuts of one tensor, each starting where the last one ended, are together one cut.
  rule("concat-adjacent-slices", concat.pat().as("n"), ({ n }) => {
    const [first] = n.inputs as [Node];
    const axis = front(n.attrs.axis, n);
    let end = first.op === slice ? cutOf(first).start : 0;
    for (const part of n.inputs) {
      if (part.op !== slice || part.inputs[0] !== first.inputs[0] || front(cutOf(part).axis, part) !== axis) return n;
      if (cutOf(part).start !== end) return n;
      end += part.type.shape[axis] as number;
    }
    const { start } = cutOf(first);
    return slice(first.inputs[0]!, { axis, start, size: end - start });
  }),
  // Transposed parts side by side are the parts side by side, transposed.
  rule("concat-of-transposes", concat.pat().as("n"), ({ n }) => {
    const [first] = n.inputs as [Node];
    if (!n.inputs.every((p) => p.op === transpose && same(permOf(p), permOf(first)))) return n;
    const axis = permOf(first)[front(n.attrs.axis, n)]!;
    return transpose(
      concat(
        n.inputs.map((p) => p.inputs[0]!),
        { axis },
      ),
      { perm: permOf(first) },
    );
  }),
];

/** Movement of data that cancels out: after merge-qkv, the three parts of a checkpoint's tensor are that tensor again. */
export const simplify = rules("simplify", simplifications, {
  doc: "Transposes, reshapes, cuts and joins that cancel out disappear.",
});
