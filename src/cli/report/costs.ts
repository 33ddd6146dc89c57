/** What an entry point costs, op by op. */
import type { CompiledEntry } from "../../codegen/entries.ts";
import type { ManifestCost, ManifestEntry } from "../../codegen/manifest.ts";
import { type GraphCost, nodeCosts } from "../../ir/cost.ts";
import { describe } from "../../ir/node.ts";
import { showType } from "../../ir/type.ts";
import type { ReportEntry, ReportNode, ReportOp } from "./data.ts";

/** Weights, caches and activations together. */
export const bytesMoved = (c: ManifestCost): number => c.weightBytes + c.cacheBytes + c.activationBytes;

export function reportEntry(
  { graph }: CompiledEntry,
  { name, tokens, context, cost, npu }: ManifestEntry,
): ReportEntry {
  const ops = new Map<string, ReportOp>();
  const nodes: ReportNode[] = [];
  for (const [node, own] of nodeCosts(graph)) {
    const known = ops.get(node.op.name);
    ops.set(node.op.name, {
      name: node.op.name,
      nodes: (known?.nodes ?? 0) + 1,
      cost: known ? add(known.cost, own) : own,
    });
    const where = node.loc && `${node.loc.file}:${node.loc.line}`;
    if (own.flops === 0 && bytesMoved(own) === 0) continue;
    nodes.push({ name: describe(node), ...(where && { where }), type: showType(node.type), cost: own });
  }
  const byBytes = (a: { cost: ManifestCost }, b: { cost: ManifestCost }) => bytesMoved(b.cost) - bytesMoved(a.cost);
  return {
    ...{ name, tokens, context, cost, ...(npu && { npu }) },
    ops: [...ops.values()].sort(byBytes),
    nodes: nodes.sort(byBytes),
  };
}

const add = (a: GraphCost, b: GraphCost): GraphCost => ({
  flops: a.flops + b.flops,
  weightBytes: a.weightBytes + b.weightBytes,
  cacheBytes: a.cacheBytes + b.cacheBytes,
  activationBytes: a.activationBytes + b.activationBytes,
});
