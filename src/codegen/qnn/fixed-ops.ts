/** Ops that HTP has on integers, and where a graph in fixed point has them. */
import { type Graph, topo, usersOf } from "../../ir/graph.ts";
import type { Node } from "../../ir/node.ts";
import type { AnyOp } from "../../ir/op.ts";
import * as ops from "../../ir/ops/index.ts";
import { isFloat } from "../../ir/type.ts";

/** Ops that HTP has on u16, as `quantize(op(dequantize ..))`. */
export const computes = new Set<AnyOp>([
  ops.add,
  ops.sub,
  ops.mul,
  ops.matmul,
  ops.reduceSum,
  ops.layerNorm,
  ops.rmsNorm,
  ops.gelu,
  ops.softmax,
]);
/** Ops that move values, and so keep their encoding. */
export const moves = new Set<AnyOp>([ops.reshape, ops.transpose, ops.slice, ops.gather, ops.concat]);

/** Ops on fixed-point tensors, by the `quantize` that yields their integers; and the conversions that are part of them. */
export interface FusedOps {
  readonly of: ReadonlyMap<Node, Node>;
  readonly absorbed: ReadonlySet<Node>;
}

export const noneFused: FusedOps = { of: new Map(), absorbed: new Set() };

/** Finds `quantize(op(dequantize ..))` where nobody else wants the floats. */
export function fuseFixed(g: Graph): FusedOps {
  const users = usersOf(g);
  const order = topo(g);
  const outputs = new Set(g.outputs);
  const of = new Map<Node, Node>();
  const inner = new Set<Node>();
  for (const q of order) {
    const op = q.inputs[0];
    if (q.op !== ops.quantize || !op || outputs.has(op) || users.get(op)!.length > 1) continue;
    if (!computes.has(op.op) && !moves.has(op.op)) continue;
    if (!op.inputs.every((i) => i.op === ops.dequantize || !isFloat(i.type.dtype))) continue;
    of.set(q, op);
    inner.add(op);
  }
  const absorbed = new Set(
    order.filter((n) => n.op === ops.dequantize && !outputs.has(n) && users.get(n)?.every((u) => inner.has(u))),
  );
  return { of, absorbed };
}
