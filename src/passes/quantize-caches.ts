import type { Module } from "../ir/program.ts";
import { type Pass, pass } from "./pass.ts";
import { prove } from "./prove.ts";
import { withCaches } from "./support/caches.ts";
import { type Range, symmetric } from "./support/encoding.ts";

/**
 * Keys and values are kept as i8, symmetric, with one scale for each cache: a quarter of the bytes of f32 to keep and to read. The
 * proof is of the graph without its roundings.
 * @param ranges of what is appended to each cache, in the order of the graph's state.
 */
export const quantizeCaches = (ranges: readonly Range[]): Pass =>
  pass(
    "quantize-caches",
    (graph, context) => {
      const encodings = new Map(graph.state.map(({ cache }, i) => [cache, symmetric(ranges[i]!)]));
      return withCaches(graph, (cache) => {
        context.hit("quantize-cache");
        return { dtype: "i8", ...encodings.get(cache)! };
      });
    },
    {
      doc: "Keys and values are kept in 8-bit integers.",
      prove: (before: Module, after: Module, options) =>
        prove(
          before.graph,
          withCaches(after.graph, () => undefined),
          options,
        ),
    },
  );
