/** What `npm run compile` prints of a quantisation. */
import { bytes, type Column, table } from "./format.ts";
import { qualityWarning, worstFirst } from "./quality-warning.ts";
import type { Quantization } from "./quantization.ts";

/** Layers that are printed; quantization.json has all of them. */
const printed = 12;

const columns = (alone: boolean): readonly Column[] => [
  { title: alone ? "layer, most harm first" : "layer, worst first" },
  { title: "weights", align: "right" },
  { title: "bytes", align: "right" },
  { title: "SQNR", align: "right" },
  ...(alone ? ([{ title: "divergence at fewer bits", align: "right" }] as const) : []),
];

export const decibels = (x: number): string => (Number.isFinite(x) ? `${x.toFixed(1)} dB` : "exact");

/** The layers by how much noise they have, and what all of it does to the model. */
export function quantizationText({ precision, calibration, quality, overflows }: Quantization): string {
  const { layers, perplexity, logitsSqnr, tokens } = quality;
  const alone = layers.some((l) => l.divergence !== undefined);
  const order = worstFirst(layers);
  const rows = order
    .slice(0, printed)
    .map((l) => [
      l.name,
      l.bits === "float" ? "f16" : `i${l.bits}${l.blockSize ? `/${l.blockSize}` : ""}`,
      bytes(l.bytes),
      l.sqnr === undefined ? "" : decibels(l.sqnr),
      ...(alone ? [l.divergence === undefined ? "" : l.divergence.toExponential(1)] : []),
    ]);
  const rest = order.length > printed ? `and ${order.length - printed} more, all in quantization.json\n` : "";
  const total = layers.reduce((sum, l) => sum + l.bytes, 0);
  const change = 100 * (perplexity.quantized / perplexity.float - 1);
  return [
    `quantised, calibrated on ${calibration.text} (${calibration.tokens} tokens):\n`,
    table(columns(alone), rows),
    rest,
    `weights of products ${bytes(total)}; logits ${decibels(logitsSqnr)}; perplexity ${perplexity.float.toPrecision(4)} → ${perplexity.quantized.toPrecision(4)} (${change >= 0 ? "+" : ""}${change.toFixed(2)}%) on ${tokens} of those tokens (measured)\n`,
    qualityWarning({ precision, quality }),
    ...overflows.map(
      ({ value, reaches }) =>
        `warning: ${value} reaches ${reaches.toPrecision(3)}, more than the 65504 that f16 holds: it overflows on targets that compute in f16\n`,
    ),
  ].join("");
}
