/** ONNX ops that can be read: those that the exporter writes. */
import type { Node } from "../../ir/node.ts";
import * as ops from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import type { Call } from "./call.ts";
import { dtypeOf } from "./proto.ts";

type Read = (c: Call) => Node;
const unary =
  (op: (x: Node) => Node): Read =>
  (c) =>
    op(c.operand(0));
const binary =
  (op: (a: Node, b: Node) => Node): Read =>
  (c) =>
    op(c.operand(0), c.operand(1));

function gemm(c: Call): Node {
  c.expect("alpha", 1);
  c.expect("beta", 1);
  c.expect("transA", 0);
  const w = c.int("transB", 0) ? c.operand(1) : ops.transpose(c.operand(1), { perm: [1, 0] });
  return c.has(2) ? ops.linear(c.operand(0), w, c.operand(2)) : ops.linear(c.operand(0), w);
}

function layerNorm(c: Call): Node {
  const x = c.operand(0);
  if (resolveAxis(c.int("axis", -1), x.type.shape) !== x.type.shape.length - 1)
    throw new Error("normalises over more than the last axis");
  return ops.layerNorm(x, c.operand(1), c.operand(2), { eps: c.float("epsilon", 1e-5) });
}

function slice(c: Call): Node {
  const [start, end, axis] = [c.single(1), c.single(2), c.single(3)];
  if (c.has(4) && c.single(4) !== 1) throw new Error("takes steps; only steps of 1 are supported");
  return ops.slice(c.operand(0), { axis, start, size: end - start });
}

function cast(c: Call): Node {
  const dtype = dtypeOf(c.int("to", 0));
  if (!dtype) throw new Error(`converts to element type ${c.int("to", 0)}, which is not supported`);
  return ops.cast(c.operand(0), { dtype });
}

function one(list: readonly number[]): number {
  if (list.length !== 1) throw new Error(`reduces over ${list.length} axes; one is supported`);
  return list[0]!;
}

export const importers: Readonly<Record<string, Read>> = {
  Add: binary(ops.add),
  Sub: binary(ops.sub),
  Mul: binary(ops.mul),
  Div: binary(ops.div),
  Max: (c) => {
    if (c.count !== 2) throw new Error(`takes ${c.count} operands; two are supported`);
    return ops.maximum(c.operand(0), c.operand(1));
  },
  Less: binary(ops.less),
  Where: (c) => ops.select(c.operand(0), c.operand(1), c.operand(2)),
  Exp: unary(ops.exp),
  Tanh: unary(ops.tanh),
  Erf: unary(ops.erf),
  Sqrt: unary(ops.sqrt),
  Reciprocal: unary((x) => ops.div(ops.scalar(1, x.type.dtype), x)),
  Sin: unary(ops.sin),
  Cos: unary(ops.cos),
  Sigmoid: unary(ops.sigmoid),
  Identity: unary((x) => x),
  ReduceSum: (c) => ops.reduceSum(c.operand(0), { axis: one(c.list(1)), keepDims: c.int("keepdims", 1) !== 0 }),
  ReduceMax: (c) => ops.reduceMax(c.operand(0), { axis: one(c.ints("axes")), keepDims: c.int("keepdims", 1) !== 0 }),
  MatMul: binary(ops.matmul),
  Gemm: gemm,
  Reshape: (c) => ops.reshape(c.operand(0), { shape: c.list(1) }),
  Transpose: (c) => ops.transpose(c.operand(0), { perm: c.ints("perm") }),
  Slice: slice,
  Concat: (c) => ops.concat(c.operands(), { axis: c.int("axis", 0) }),
  Gather: (c) => {
    const data = c.operand(0);
    const dtype = data.type.dtype === "f16" || data.type.dtype === "bf16" ? data.type.dtype : "f32";
    return ops.gather(data, c.operand(1), { axis: c.int("axis", 0), dtype });
  },
  Cast: cast,
  LayerNormalization: layerNorm,
  Softmax: (c) => ops.softmax(c.operand(0), { axis: c.int("axis", -1) }),
};
