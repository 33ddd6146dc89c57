/**
 * A graph that computes in f16, for targets that have no other float arithmetic. Inputs and outputs stay as they are, so that a
 * caller need not know, but for caches in floats: they are most of what a run reads besides weights, and the caller only copies them. Weight
 * expressions are computed in f32 and rounded once.
 */
import { type Graph, graph as makeGraph, topo } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { blockQuantizedLinear } from "../ir/ops/block-quantized-linear.ts";
import { cast } from "../ir/ops/cast.ts";
import { dequantize } from "../ir/ops/dequantize.ts";
import { gather } from "../ir/ops/gather.ts";
import { quantizedLinear } from "../ir/ops/quantized-linear.ts";
import { withOrigin } from "../ir/origin.ts";
import type { HostCache } from "./host-caches.ts";
import { findStatic } from "./statics.ts";

/** Ops that say which float type they yield. */
const typed = new Set<AnyOp>([cast, gather, dequantize]);
/** Their only floats are scales of weights, which are no activations. */
const fixed = new Set<AnyOp>([quantizedLinear, blockQuantizedLinear]);
const isFloat32 = (n: Node): boolean => n.type.dtype === "f32";

/** What the value behind an output is called, whose own name stays with what is yielded. */
export const halfName = (output: string): string => `${output}.f16`;

/** @param g bound and without state. Its caches become f16, and so do the slices that it yields for them. */
export function toHalf(g: Graph, caches: readonly HostCache[] = []): Graph {
  const known = findStatic(g);
  const rounded = new Map<Node, Node>();
  const round = (n: Node): Node => {
    if (!isFloat32(n)) return n;
    const done = rounded.get(n) ?? withOrigin({ name: n.name, loc: n.loc }, () => cast(n, { dtype: "f16" }));
    rounded.set(n, done);
    return done;
  };
  const inputs = new Set(g.inputs);
  // An operand that is still f32 is an input or a weight: what is computed has been rebuilt in f16 before its users.
  const half = new Map<Node, Node>();
  const cached = new Set(caches.map((c) => g.inputs[c.input]!));
  const slices = new Set(caches.map((c) => c.output));
  const widened = new Set(g.outputs.filter((_, i) => !slices.has(i)));
  for (const n of topo(g)) {
    if (inputs.has(n) || known.has(n)) {
      half.set(
        n,
        cached.has(n) && isFloat32(n) ? n.op.build([], { ...n.attrs, dtype: "f16" }, { name: n.name, loc: n.loc }) : n,
      );
      continue;
    }
    const operands = n.inputs.map((i) => (fixed.has(n.op) ? half.get(i)! : round(half.get(i)!)));
    const attrs = typed.has(n.op) ? { ...n.attrs, ...(n.attrs.dtype === "f32" && { dtype: "f16" }) } : n.attrs;
    // The name of an output stays with the value that is yielded.
    const name = n.name && widened.has(n) && isFloat32(n) ? halfName(n.name) : n.name;
    half.set(n, n.op.build(operands, attrs, { name, loc: n.loc }));
  }
  const yielded = g.outputs.map((n, i) => {
    const value = half.get(n)!;
    if (slices.has(i)) return round(value);
    if (value.type.dtype === n.type.dtype) return value;
    return cast.build([value], { dtype: n.type.dtype }, { name: n.name, loc: n.loc });
  });
  return makeGraph(g.name, { inputs: g.inputs.map((n) => half.get(n)!), outputs: yielded });
}
