/** Writes a plan as `qnn/<entry>.qnn.json`. */
import type { Artifact } from "../backend.ts";
import type { QnnPlan } from "./plan.ts";
import { showGraph } from "./show.ts";
import type { QnnGraph } from "./types.ts";
import { checkQnnGraph } from "./validate.ts";

/** Name of the weights file beside the graphs. */
export const weightsFile = "weights.bin";

/**
 * The graph as a file; equal plans give equal bytes.
 * @throws HeddleError where the result breaks the schema: a mistake of this compiler, found before anybody loads it.
 */
export function emitQnn({ graph, tensors, nodes, inputs, outputs }: QnnPlan): readonly Artifact[] {
  const content: QnnGraph = { format: "heddle.qnn/1", graph, weights: weightsFile, tensors, nodes, inputs, outputs };
  checkQnnGraph(content);
  return [{ path: `qnn/${graph}.qnn.json`, text: showGraph(content) }];
}
