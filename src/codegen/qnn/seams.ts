/**
 * Seams of a program in parts in fixed point: what a part leaves for the next one stays in the integers in which calibration's range puts
 * it, as it would be handed on within one graph; floats would cost a conversion on both sides.
 */
import { graph as makeGraph } from "../../ir/graph.ts";
import { dequantize } from "../../ir/ops/dequantize.ts";
import type { LegalGraph } from "../backend.ts";
import type { Seams } from "../cut.ts";
import { halfName } from "../half.ts";
import type { Encodings } from "./fixed.ts";

/** The input of a part that stands for what the one before it leaves. */
export const hiddenInput = "hidden";

/** What is known of values at seams, under the names that they have in a part; where nothing is, they are handed over in floats. */
export function encodedSeams(encodings: Encodings, { from, to }: Seams): Encodings {
  if (from === undefined && to === undefined) return encodings;
  const called = [
    [hiddenInput, encodings.get(from ?? "")],
    // The name itself is that of the output, in f32.
    [halfName(to ?? ""), encodings.get(to ?? "")],
  ] as const;
  return new Map([...encodings, ...called.flatMap(([name, known]) => (known ? [[name, known] as const] : []))]);
}

/** The graph yields integers in place of the floats that they stand for, but for slices of caches. */
export function leftInIntegers({ graph: g, caches }: LegalGraph): LegalGraph {
  const slices = new Set(caches.map((c) => c.output));
  const outputs = g.outputs.map((n, i) => (!slices.has(i) && n.op === dequantize ? n.inputs[0]! : n));
  return { graph: makeGraph(g.name, { ...g, outputs }), caches };
}
