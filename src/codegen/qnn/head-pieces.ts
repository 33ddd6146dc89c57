/**
 * The head of a language model as HTP runs it at the speed of memory: in pieces, each with an output of its own that stays in integers.
 * As one product of one row its last tile, the change into floats and the writing of 50,257 numbers are hidden by nothing: 58 us of
 * GPT-2's 2 ms (docs/htp-legalisation.md). Whoever reads the logits joins and scales them.
 */
import { graph as makeGraph, rebuild } from "../../ir/graph.ts";
import { type Node, renamed } from "../../ir/node.ts";
import {
  blockQuantizedLinear,
  blockScales,
  dequantize,
  quantizedLinear,
  quantizeWeight,
  slice,
  weightScales,
} from "../../ir/ops/index.ts";
import { withOrigin } from "../../ir/origin.ts";
import type { LegalGraph } from "../backend.ts";

const mostPieces = 8;
/** Smaller ones cost more than they hide. */
const leastColumns = 512;
/** Columns of a tile of a product. */
const tile = 32;

/** @returns the same where the graph has no head of one row on quantised weights. Pieces stand in the place of the output, in order. */
export function headInPieces({ graph: g, caches }: LegalGraph): LegalGraph {
  const slices = new Set(caches.map((c) => c.output));
  const own = g.outputs.flatMap((_, i) => (slices.has(i) ? [] : [i]));
  const [at] = own;
  const pieces = own.length === 1 ? piecesOf(g.outputs[at!]!) : undefined;
  if (!pieces) return { graph: g, caches };
  const moved = (i: number) => (i > at! ? i + pieces.length - 1 : i);
  return {
    graph: makeGraph(g.name, { ...g, outputs: g.outputs.flatMap((n, i) => (i === at ? pieces : [n])) }),
    caches: caches.map((c) => ({ ...c, output: moved(c.output) })),
  };
}

function piecesOf(logits: Node): Node[] | undefined {
  const head = logits.inputs[0];
  const inBlocks = head?.op === blockQuantizedLinear;
  if (logits.op !== dequantize || !head || (head.op !== quantizedLinear && !inBlocks)) return undefined;
  const [x, w, scales, ...rest] = head.inputs as [Node, Node, Node, ...Node[]];
  const blocks = inBlocks ? rest.shift() : undefined;
  if (rest.length > 0 || (blocks && blocks.op !== blockScales) || w.op !== quantizeWeight || scales.op !== weightScales)
    return undefined;
  const shape = head.type.shape as number[];
  const columns = shape.at(-1)!;
  if (shape.slice(0, -1).some((d) => d !== 1)) return undefined;
  const count = Math.max(1, Math.min(mostPieces, Math.floor(columns / leastColumns)));
  if (count === 1) return [renamed(head, { name: logits.name })];
  const each = Math.ceil(columns / count / tile) * tile;
  return Array.from({ length: Math.ceil(columns / each) }, (_, i) => {
    const at = { axis: 0, start: i * each, size: Math.min(each, columns - i * each) };
    const called = (n: Node, build: () => Node) => {
      const name = n.name && `${n.name}.${i}`;
      return renamed(withOrigin({ name, loc: n.loc }, build), { name });
    };
    const rows = called(w.inputs[0]!, () => slice(w.inputs[0]!, at));
    const scaled = called(scales, () => rebuild(scales, [rows, ...scales.inputs.slice(1)]));
    const scaledBlocks = blocks
      ? [called(blocks, () => rebuild(blocks, [rows, scaled, ...blocks.inputs.slice(2)]))]
      : [];
    const integers = called(w, () => rebuild(w, [rows, scaled, ...scaledBlocks]));
    return renamed(rebuild(head, [x, integers, scaled, ...scaledBlocks]), { name: `${logits.name}.${i}` });
  });
}
