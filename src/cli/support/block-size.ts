/** How many inputs share a scale in weights of 4 bits. */
import type { Graph } from "../../ir/graph.ts";
import { type BlockSize, linearsOf } from "../../passes/quantize.ts";
import { sharesHeads } from "./cache-types.ts";
import type { QuantizeRequest } from "./quantize-request.ts";

/** The smallest that there is: HTP takes the same time for all. */
const finest: BlockSize = 32;

/**
 * What was asked for, or else what the target computes best; undefined for one scale per output channel.
 *
 * HTP drops the lowest eight bits of a sum. With one scale per channel integers of 4 bits are so few that this can be many steps of the
 * result; in blocks they are multiplied by up to 16 first, and it is less than one. Models whose heads share keys and values, such as
 * Gemma, have outliers in what products read, so that it is many: their logits have 18 dB with one scale per channel and 30 or more in
 * blocks (docs/htp-legalisation.md).
 */
export function blockSizeOf(
  asked: QuantizeRequest["blockSize"],
  { graph, target = "reference" }: { readonly graph: Graph; readonly target?: string },
): BlockSize | undefined {
  if (asked !== undefined) return asked === "none" ? undefined : asked;
  const divides = [...linearsOf(graph).keys()].every((n) => (n.inputs[1]!.type.shape[1] as number) % finest === 0);
  return target === "x-elite" && sharesHeads(graph) && divides ? finest : undefined;
}
