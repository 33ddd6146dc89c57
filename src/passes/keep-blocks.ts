import { type Graph, topo, topoFrom } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import { concat, gather, linear, linearAdd, mlp, param, slice } from "../ir/ops/index.ts";
import { v } from "../ir/pattern.ts";
import { type Rule, rule, type Skip, skip } from "../ir/rewrite.ts";
import { type BlockType, blockFormats } from "../ir/type.ts";
import { type Pass, rules } from "./pass.ts";
import { prove } from "./prove.ts";

/** How the checkpoint stores a weight: in blocks, or as f16; undefined where it stores it otherwise. */
export type StoredBlocks = (name: string) => BlockType | "f16" | undefined;

/** A weight in its blocks, why it is not, or undefined where nobody would expect it. */
type Kept = Node | Skip | undefined;
const isKept = (k: Kept): k is Node => k !== undefined && "op" in k;

/** Rows may be picked and joined in blocks; anything else takes numbers. */
function inBlocks(w: Node, stored: StoredBlocks): Kept {
  if (w.op.name === param.name) return storedParam(w, stored);
  if (w.op.name === slice.name && w.attrs.axis === 0) {
    const table = inBlocks(w.inputs[0]!, stored);
    return isKept(table) ? slice.build([table], w.attrs, w) : table;
  }
  if (w.op.name === concat.name && w.attrs.axis === 0) return joined(w, stored);
  if (w.type.dtype !== "f32") return undefined;
  const from = topoFrom([w]).find((n) => isKept(storedParam(n, stored)));
  return from && skip(`${from.attrs.name}, stored in blocks, goes through ${w.op.name}`);
}

function storedParam(n: Node, stored: StoredBlocks): Kept {
  const found = n.op.name === param.name && n.type.dtype === "f32" ? stored(n.attrs.name as string) : undefined;
  const { shape } = n.type;
  if (!found || shape.length < 2) return undefined;
  if (found !== "f16" && (shape.at(-1) as number) % blockFormats[found].elements !== 0)
    return skip(`rows of ${n.attrs.name} are not whole blocks of ${found}`);
  return param.build([], { ...n.attrs, dtype: found }, n);
}

function joined(w: Node, stored: StoredBlocks): Kept {
  const parts = w.inputs.map((x) => inBlocks(x, stored));
  const types = new Set(parts.map((p, i) => (isKept(p) ? p : w.inputs[i]!).type.dtype));
  if (!parts.some(isKept)) return parts[0];
  return types.size === 1
    ? concat.build(parts as Node[], w.attrs, w)
    : skip(`its parts are stored in ${[...types].join(" and ")}`);
}

/** Rebuilds `n` with those of its weights in blocks that can be. */
function keep(n: Node, weights: readonly number[], stored: StoredBlocks): Node | Skip {
  const kept = new Map(weights.map((i) => [i, inBlocks(n.inputs[i]!, stored)]));
  if (![...kept.values()].some(isKept)) return [...kept.values()].find((k): k is Skip => k !== undefined) ?? n;
  const inputs = n.inputs.map((x, i) => {
    const k = kept.get(i);
    return isKept(k) ? k : x;
  });
  return n.op.build(inputs, n.attrs, n);
}

/** Random weights are rounded where they are f16, which those of a checkpoint need not be. */
const halfTolerance = { f64: 5e-3, f32: 5e-3 };
const hasHalf = (g: Graph): boolean => topo(g).some((n) => n.op.name === param.name && n.type.dtype === "f16");

/**
 * Matrices and embedding tables stay in the blocks in which the checkpoint stores them (GGUF's Q4_K and its like), or in f16
 * where they are that, and are multiplied from there. The interpreter holds them as the floats that they stand for, so nothing changes in value.
 * It runs before passes that compute with weights: these then see what they would have to expand, and leave it.
 */
export function keepBlocks(stored: StoredBlocks): Pass {
  const of = (name: string, pattern: Parameters<typeof rule>[1], ...weights: number[]): Rule =>
    rule(name, pattern, (captures) => keep((captures as { n: Node }).n, weights, stored));
  return rules(
    "keep-blocks",
    [
      of("blocks-linear", linear.pat(v("x"), v("w"), v("b")).as("n"), 1),
      of("blocks-linear-without-bias", linear.pat(v("x"), v("w")).as("n"), 1),
      of("blocks-linear-add", linearAdd.pat(v("x"), v("w"), v("b"), v("r")).as("n"), 1),
      of("blocks-mlp", mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2")).as("n"), 1, 3),
      of("blocks-mlp-add", mlp.pat(v("x"), v("w1"), v("b1"), v("w2"), v("b2"), v("r")).as("n"), 1, 3),
      of("blocks-table", gather.pat(v("table"), v("rows")).as("n"), 0),
    ],
    {
      prove: (before, after, options) =>
        prove(before.graph, after.graph, hasHalf(after.graph) ? { ...options, tolerance: halfTolerance } : options),
      doc: "Weights that the checkpoint stores in blocks of a few bits stay so: less to store, and less to read for each token.",
    },
  );
}
