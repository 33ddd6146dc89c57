/** Calibration: the model runs on a text in f32, and the range of each value is written down. */
import { HeddleError } from "../../../ir/error.ts";
import { type Graph, topo } from "../../../ir/graph.ts";
import { describe, type Node } from "../../../ir/node.ts";
import { nodeNames } from "../../../ir/print.ts";
import { isStatic } from "../../../passes/support/static.ts";
import type { WeightSource } from "../../../weights/source.ts";
import type { Calibration } from "./calibration.ts";
import { Histogram } from "./histogram.ts";
import { withValues } from "./run.ts";
import type { CalibrationTokens } from "./text.ts";

/** Of values that `percentile` leaves out. */
const outside = 1e-4;
/** Steps of 16-bit activations. */
const levels = 2 ** 16;

/** Every value in floats that is computed when the graph runs; what merely moves values is left out. */
export const observedIn = (g: Graph): Node[] => {
  const caches = new Set(g.state.flatMap((s) => [s.cache, s.next]));
  return topo(g).filter((n) => n.type.dtype === "f32" && n.op.name !== "input" && !isStatic(n) && !caches.has(n));
};

/** @throws HeddleError naming the first value that is not finite. */
export async function calibrate(
  program: string,
  g: Graph,
  weights: WeightSource,
  { text, sequences }: CalibrationTokens,
  progress: (share: number) => void = () => {},
): Promise<Calibration> {
  const names = nodeNames(g);
  const wanted = observedIn(g);
  const seen = wanted.map(() => new Histogram());
  await withValues(g, wanted, weights, async (run) => {
    for (const [i, sequence] of sequences.entries()) {
      const values = await run(sequence);
      for (const [k, histogram] of seen.entries()) histogram.add(values[k] as Float32Array);
      progress((i + 1) / sequences.length);
    }
  });
  const bad = seen.findIndex((h) => h.notFinite > 0);
  if (bad >= 0)
    throw new HeddleError(`has values that are not finite (${seen[bad]!.notFinite} of ${seen[bad]!.count})`, {
      subject: describe(wanted[bad]!),
      loc: wanted[bad]!.loc,
      hint: "check the weights: f32 overflows here on ordinary text",
    });
  return {
    format: "heddle.calibration/1",
    program,
    weights: weights.name,
    text,
    tokens: sequences.reduce((n, s) => n + s.length, 0),
    values: Object.fromEntries(
      wanted.map((n, i) => {
        const h = seen[i]!;
        return [names.get(n)!, { minmax: h.range, percentile: h.percentile(outside), mse: h.leastError(levels) }];
      }),
    ),
  };
}
