/** The plan of one QNN graph: all decisions are made here, what is left is writing them down. */
import { HeddleError } from "../../ir/error.ts";
import { type Graph, topo } from "../../ir/graph.ts";
import { describe, type Node } from "../../ir/node.ts";
import { dequantize } from "../../ir/ops/index.ts";
import { resolveAxis } from "../../ir/ops/support/axis.ts";
import type { EntryPlan, LegalGraph, PlannedState } from "../backend.ts";
import { findStatic } from "../statics.ts";
import type { SupportTable } from "../support.ts";
import type { WeightTable } from "../weights.ts";
import { Builder } from "./builder.ts";
import { type FusedOps, noneFused } from "./fixed-ops.ts";
import type { QnnLowering } from "./lowering.ts";
import type { QnnNode, QnnTensor } from "./types.ts";

export interface QnnPlan extends EntryPlan {
  readonly tensors: readonly QnnTensor[];
  readonly nodes: readonly QnnNode[];
}

/**
 * @param g bound and legal for the target; its name becomes the name of the QNN graph.
 * @param fused ops that read and yield integers, as one node each.
 * @throws HeddleError for what QNN cannot hold: an element type, an unbound size, state that is not appended to.
 */
export function planQnn(
  { graph: g, caches }: LegalGraph,
  support: SupportTable<QnnLowering>,
  weights: WeightTable,
  fused: FusedOps = noneFused,
): QnnPlan {
  const known = findStatic(g);
  const b = new Builder(g, known, weights);
  const inPlace = new Set(g.state.map((s) => s.cache));
  const inputs = g.inputs.map((n) => b.declare(n, inPlace.has(n) ? "APP_READWRITE" : "APP_WRITE"));
  checkState(g);
  const table = support as Readonly<Record<string, unknown>>;
  const inner = new Set(fused.of.values());
  for (const q of b.work) {
    if (inner.has(q) || fused.absorbed.has(q)) continue;
    const op = fused.of.get(q);
    // The op itself, on integers.
    const n = op ? { ...op, inputs: op.inputs.map((i) => (i.op === dequantize ? i.inputs[0]! : i)) } : q;
    const how = table[n.op.name];
    if (!isLowering(how))
      throw new HeddleError("reached code generation without a lowering", { subject: describe(n), loc: n.loc });
    if (n !== q) b.alias(n, q);
    how.lower(n, b);
  }
  const outputs = yieldAll(g.outputs, known, new Set(g.inputs), b);
  const state: PlannedState[] = g.state.map(({ cache, next }) => ({
    cache: b.tensor(cache),
    axis: resolveAxis(next.attrs.axis as number, next.type.shape),
    mode: "in-place",
    ...windowOf(next.attrs.window as number),
  }));
  for (const { input, output, axis, window } of caches)
    state.push({ cache: inputs[input]!, axis, mode: "host", slice: outputs[output]!, ...windowOf(window) });
  return { graph: g.name, tensors: b.tensors, nodes: b.nodes, inputs, outputs, state };
}

const windowOf = (window: number): { window?: number } => (window > 0 ? { window } : {});

const isLowering = (x: unknown): x is QnnLowering => typeof x === "object" && x !== null && "lower" in x;

/** A graph yields tensors that its nodes wrote, each once; anything else is copied. */
function yieldAll(outputs: readonly Node[], known: ReadonlySet<Node>, inputs: ReadonlySet<Node>, b: Builder): string[] {
  const yielded = new Set<Node>();
  return outputs.map((n, i) => {
    const isOwn = !known.has(n) && !inputs.has(n) && !yielded.has(n);
    yielded.add(n);
    return isOwn ? b.tensor(n) : b.copy(n, n.name ?? `output${i}`);
  });
}

/** In place means that nobody may want the old content of a cache once it has been appended to. */
function checkState(g: Graph): void {
  for (const { cache, next } of g.state) {
    if (next.op.name !== "kvAppend" || next.inputs[0] !== cache)
      throw new HeddleError("a cache must be updated by kvAppend on itself", {
        subject: describe(cache),
        loc: next.loc ?? cache.loc,
        hint: "write next = kvAppend(cache, slice, position), and read next from there on",
      });
    const reader = topo(g).find((n) => n !== next && n.inputs.includes(cache));
    if (reader)
      throw new HeddleError(`reads cache ${cache.name ?? ""}, which is updated in place`, {
        subject: describe(reader),
        loc: reader.loc,
        hint: `read the update, ${describe(next)}, instead`,
      });
  }
}
