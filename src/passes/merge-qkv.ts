import { mapGraph, topo } from "../ir/graph.ts";
import { type Node, renamed } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import {
  attention,
  cachedAttention,
  cast,
  concat,
  flashAttention,
  flashCachedAttention,
  kvAppend,
  linear,
  normalize,
  reshape,
  rmsNorm,
  rope,
  slice,
  splitHeads,
  transpose,
} from "../ir/ops/index.ts";
import { pass } from "./pass.ts";
import { beside, inPlaceOf } from "./support/naming.ts";
import { isStatic } from "./support/static.ts";

const attentions = new Set<AnyOp>([attention, flashAttention, cachedAttention, flashCachedAttention]);
/** What may stand between a projection and its attention, and which operand leads back to the projection. */
const between = new Map<AnyOp, number>([
  ...[splitHeads, rope, rmsNorm, normalize, transpose, reshape, cast].map((op): [AnyOp, number] => [op, 0]),
  [kvAppend, 1],
]);

/** The op that q, k or v comes from, above all that works on heads alone. */
function projectionOf(n: Node): Node {
  const operand = between.get(n.op);
  return operand === undefined ? n : projectionOf(n.inputs[operand]!);
}

/** Why the projections cannot be merged; undefined where they can. */
function obstacle(parts: readonly Node[]): string | undefined {
  const other = parts.find((p) => p.op !== linear);
  if (other) return other.op === slice ? "already merged" : `q, k or v comes from ${other.op.name}, not from linear`;
  if (new Set(parts).size < parts.length) return "projections are shared between q, k and v";
  if (parts.some((p) => p.inputs[0] !== parts[0]!.inputs[0])) return "projections read different values";
  if (parts.some((p) => p.inputs.length !== parts[0]!.inputs.length)) return "some projections have a bias, others not";
  if (parts.some((p) => !p.inputs.slice(1).every(isStatic))) return "a projection's weights depend on an input";
  return undefined;
}

/** Projections whose weights can lie in one tensor: those of one type. A checkpoint may store values in more bits than the rest. */
function byType(parts: readonly Node[]): Node[][] {
  const groups = new Map<string, Node[]>();
  for (const p of parts) {
    const type = p.inputs
      .slice(1)
      .map((w) => w.type.dtype)
      .join();
    groups.set(type, [...(groups.get(type) ?? []), p]);
  }
  return [...groups.values()];
}

/** x [wq; wk; wv]^T + [bq; bk; bv]: columns of one product instead of three products. */
function mergedProduct(x: Node, parts: readonly Node[]): Node {
  const [first] = parts as [Node];
  // `qkv`, or what the author called those that are merged.
  const letters = parts.length === 3 ? "qkv" : parts.map((p) => p.name?.split(".").at(-1) ?? "").join("");
  const name = beside(first, letters || "qkv");
  const product = inPlaceOf(first, name, () => {
    const stack = (operand: number) =>
      concat(
        parts.map((p) => p.inputs[operand]!),
        { axis: 0 },
      );
    return first.inputs.length > 2 ? linear(x, stack(1), stack(2)) : linear(x, stack(1));
  });
  return renamed(product, { name });
}

/**
 * The three projections of every attention become one `linear`, cut in three; where their weights differ in type, those that do not. It does not matter what stands between them
 * (rope, norms per head, a cache), nor that query and key widths differ (grouped heads).
 */
export const mergeQkv = pass(
  "merge-qkv",
  (graph, context) => {
    const groups = new Map<Node, readonly Node[]>();
    for (const n of topo(graph).filter((n) => attentions.has(n.op))) {
      const parts = n.inputs.slice(0, 3).map(projectionOf);
      const reason =
        obstacle(parts) ?? (parts.some((p) => groups.has(p)) ? "shared with another attention" : undefined);
      if (reason) context.miss({ rule: "merge-qkv", node: n, reason });
      else
        for (const alike of byType(parts)) {
          if (alike.length > 1) {
            for (const p of alike) groups.set(p, alike);
            context.hit("merge-qkv");
          } else context.miss({ rule: "merge-qkv", node: alike[0]!, reason: "its weight is of another type" });
        }
    }
    const products = new Map<readonly Node[], Node>();
    return mapGraph(graph, (n, original) => {
      const parts = groups.get(original);
      if (!parts) return n;
      const product = products.get(parts) ?? mergedProduct(n.inputs[0]!, parts);
      products.set(parts, product);
      const widths = parts.map((p) => p.type.shape.at(-1) as number);
      const place = parts.indexOf(original);
      const start = widths.slice(0, place).reduce((a, b) => a + b, 0);
      const part = inPlaceOf(n, n.name, () =>
        slice(product, { axis: n.type.shape.length - 1, start, size: widths[place]! }),
      );
      return renamed(part, { name: n.name });
    });
  },
  { doc: "The three projections of an attention become one product, so that x is read once and one kernel runs." },
);
