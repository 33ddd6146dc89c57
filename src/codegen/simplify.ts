/** Rewrites that every target profits from once sizes are known: movements that move nothing, and products in their best form. */
import type { Node } from "../ir/node.ts";
import { add, cast, constant, gather, iota, linear, matmul, reshape, slice, transpose } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { type Rule, rule, skip } from "../ir/rewrite.ts";
import { sameShape, sameType } from "../ir/type.ts";

const x = v("x");

/** A transpose that keeps the order of all axes longer than 1 moves no element. */
const transposeOfUnits = rule("transpose-of-units", transpose.pat(x).as("t"), ({ x, t }) => {
  const long = t.attrs.perm.filter((axis) => x.type.shape[axis] !== 1);
  if (long.some((axis, i) => i > 0 && axis < long[i - 1]!)) return skip("moves elements");
  return reshape(x, { shape: t.type.shape });
});

/** P2(P1 x) = (P1 then P2) x. */
const transposeTwice = rule(
  "transpose-twice",
  transpose.pat(transpose.pat(x).as("first")).as("second"),
  ({ x, first, second }) => transpose(x, { perm: second.attrs.perm.map((axis) => first.attrs.perm[axis]!) }),
);

const transposeOfNothing = rule("transpose-of-nothing", transpose.pat(x).as("t"), ({ x, t }) =>
  t.attrs.perm.every((axis, i) => axis === i) ? x : skip("moves elements"),
);

const reshapeTwice = rule("reshape-twice", reshape.pat(reshape.pat(x)).as("r"), ({ x, r }) =>
  reshape(x, { shape: r.type.shape }),
);

const reshapeToSame = rule("reshape-to-same", reshape.pat(x).as("r"), ({ x, r }) =>
  sameShape(x.type.shape, r.type.shape) ? x : skip("changes the shape"),
);

const castToSame = rule("cast-to-same", cast.pat(x).as("c"), ({ x, c }) =>
  sameType(x.type, c.type) ? x : skip("changes the dtype"),
);

const sliceOfAll = rule("slice-of-all", slice.pat(x).as("s"), ({ x, s }) =>
  sameShape(x.type.shape, s.type.shape) ? x : skip("takes a part"),
);

/** Rows 0, 1, 2 ... of a table are its beginning, which can be stored as a view. */
const gatherOfIota = rule("gather-of-iota", gather.pat(x, iota.pat().as("rows")).as("g"), ({ x, rows, g }) => {
  const size = rows.type.shape[0];
  if (x.type.dtype !== g.type.dtype) return skip("converts the rows");
  if (typeof size !== "number") return skip("the number of rows is not bound");
  if (size > (x.type.shape.at(g.attrs.axis) as number)) return skip("reads past the end of the table");
  return slice(x, { axis: g.attrs.axis, start: 0, size });
});

/** Swapping the last two axes of an operand is what the flags of a product are for. */
const swapsLast = (n: Node): boolean => {
  const perm = n.attrs.perm as readonly number[];
  const r = perm.length;
  return r >= 2 && perm.every((axis, i) => axis === (i === r - 1 ? r - 2 : i === r - 2 ? r - 1 : i));
};
const matmulOfTransposed = rule(
  "matmul-of-transposed",
  matmul.pat(x, transpose.pat(v("b")).as("t")).as("m"),
  ({ x, b, t, m }) =>
    swapsLast(t)
      ? matmul(x, b, { transposeA: m.attrs.transposeA, transposeB: !m.attrs.transposeB })
      : skip("the transpose moves more than the last two axes"),
);

/** x w^T + b with one matrix w is a linear layer. */
const linearOfMatmul = rule(
  "linear-of-matmul",
  add.pat(matmul.pat(x, v("w")).as("m"), v("b")),
  ({ x, w, b, m }, uses) => {
    const out = m.type.shape.at(-1);
    if (w.type.shape.length !== 2 || m.attrs.transposeA || !m.attrs.transposeB) return skip("is not x w^T");
    if (b.type.shape.length !== 1 || b.type.shape[0] !== out) return skip("what is added is not one value per column");
    return uses.count(m) === 1 ? linear(x, w, b) : skip("the product has other users");
  },
);

/** x + 0 is x where the shape stays. */
const isSplat = (n: Node, value: number): boolean =>
  n.op.name === constant.name && (n.attrs.values as readonly number[]).every((c) => c === value);
const addZero = rule("add-zero", add.pat(x, v("zero")).as("a"), ({ x, zero, a }) =>
  isSplat(zero, 0) && sameShape(x.type.shape, a.type.shape) ? x : skip("adds something"),
);

const addToZero = rule("add-to-zero", add.pat(v("zero"), x).as("a"), ({ x, zero, a }) =>
  isSplat(zero, 0) && sameShape(x.type.shape, a.type.shape) ? x : skip("adds something"),
);

/** A count of one is zero. */
const iotaOfOne = rule("iota-of-one", iota.pat().as("i"), ({ i }) =>
  i.type.shape[0] === 1 ? constant({ dtype: "i32", shape: [1], values: [0] }) : skip("counts further"),
);

export const simplifications: readonly Rule[] = [
  transposeOfNothing,
  transposeOfUnits,
  transposeTwice,
  reshapeTwice,
  reshapeToSame,
  castToSame,
  sliceOfAll,
  gatherOfIota,
  iotaOfOne,
  matmulOfTransposed,
  linearOfMatmul,
  addZero,
  addToZero,
];
