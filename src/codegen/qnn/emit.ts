/** Writes a plan as `<entry>.qnn.json`. */

import type { QnnPlan } from "./plan.ts";
import { showGraph } from "./show.ts";
import type { QnnGraph } from "./types.ts";
import { checkQnnGraph } from "./validate.ts";

/** Name of the weights file beside the graphs. */
export const weightsFile = "weights.bin";

/**
 * Text of the graph; equal plans give equal bytes.
 * @throws HeddleError where the result breaks the schema: a mistake of this compiler, found before anybody loads it.
 */
export function emitQnn({ graph, tensors, nodes, inputs, outputs }: QnnPlan): string {
  const content: QnnGraph = { format: "heddle.qnn/1", graph, weights: weightsFile, tensors, nodes, inputs, outputs };
  checkQnnGraph(content);
  return showGraph(content);
}
