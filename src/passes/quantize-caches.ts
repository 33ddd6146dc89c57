import type { Module } from "../ir/program.ts";
import { type Pass, pass } from "./pass.ts";
import { prove } from "./prove.ts";
import { unquantized } from "./quantize.ts";
import { withCaches } from "./support/caches.ts";
import { type Range, symmetric } from "./support/encoding.ts";

/** How a cache is kept: its integers, and the range of what is appended to it. */
export interface KeptAs {
  readonly dtype: "i8" | "u16";
  readonly range: Range;
}

/**
 * Keys and values are kept as integers, symmetric, with one scale for each cache: of the bytes of f32 a quarter in i8, half in u16. The
 * proof is of the graph without its roundings.
 * @param kept how each cache is, in the order of the graph's state.
 */
export const quantizeCaches = (kept: readonly KeptAs[]): Pass =>
  pass(
    "quantize-caches",
    (graph, context) => {
      const encodings = new Map(
        graph.state.map(({ cache }, i) => {
          const { range, dtype } = kept[i]!;
          return [cache, { dtype, ...symmetric(range, dtype) }];
        }),
      );
      return withCaches(graph, (cache) => {
        context.hit("quantize-cache");
        return encodings.get(cache)!;
      });
    },
    {
      doc: "Keys and values are kept in integers.",
      prove: (before: Module, after: Module, options) =>
        prove(unquantized(before.graph), unquantized(withCaches(after.graph, () => undefined)), options),
    },
  );
