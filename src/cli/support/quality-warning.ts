/** What `npm run compile` says where quantising costs a model more than its text can bear. */
import type { LayerReport } from "./calibration/sensitivity.ts";
import type { Quantization } from "./quantization.ts";

/** By so much perplexity may rise unremarked: w4a16 of GPT-2 costs 3 %, and from here on text reads worse. */
const bearable = 0.25;

/** Layers that are named. */
const named = 3;

/** Those with most harm to the next token where that was measured, else those with most noise. */
export function worstFirst(layers: readonly LayerReport[]): LayerReport[] {
  const alone = layers.some((l) => l.divergence !== undefined);
  return [...layers].sort((a, b) =>
    alone ? (b.divergence ?? -1) - (a.divergence ?? -1) : (a.sqnr ?? 1000) - (b.sqnr ?? 1000),
  );
}

/** Nothing where the model is about as good as in floats. */
export function qualityWarning({
  precision,
  quality,
}: {
  readonly precision: Quantization["precision"];
  readonly quality: Pick<Quantization["quality"], "layers" | "perplexity">;
}): string {
  const { layers, perplexity } = quality;
  const times = perplexity.quantized / perplexity.float;
  // What is not a number is no good either.
  if (times <= 1 + bearable) return "";
  const worst = worstFirst(layers)
    .filter((l) => l.bits !== "float")
    .slice(0, named)
    .map((l) => `%${l.name}${l.loc ? ` (${l.loc})` : ""}`);
  const cost =
    times < 2
      ? `rises by ${(100 * (times - 1)).toFixed(0)}%`
      : `is ${times.toFixed(times < 10 ? 1 : 0)} times that of floats`;
  return (
    `warning: perplexity ${cost}: expect worse text, or none that makes sense. Worst are ${worst.join(", ")}\n` +
    `  try: ${remedies(precision, layers).join(", or ")}\n`
  );
}

/** What may help and was not asked for yet, the cheapest first. */
function remedies(precision: Quantization["precision"], layers: readonly LayerReport[]): string[] {
  const four = layers.filter((l) => l.bits === 4);
  const budgeted = layers.some((l) => l.divergence !== undefined);
  return [
    ...(four.length > 0 && !four.some((l) => l.blockSize) ? ["--block-size 32"] : []),
    ...(budgeted ? [] : ["--budget 20"]),
    ...(precision === "w8a16" ? ["--precision f16"] : ["--precision w8a16"]),
  ];
}
