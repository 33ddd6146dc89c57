/** How much effort finalization makes, per entry point: the highest level is not always the fastest graph. */
import type { Manifest, ManifestEntry } from "../codegen/manifest.ts";

/**
 * With one row a run in f16 does nothing but read, and level 2 schedules the reads without a gap where level 3 leaves some: GPT-2 124M
 * at 256 places takes 5.65 ms after level 2 and 5.80 ms after level 3, in half the time. In fixed point the same holds, 2.95 ms and
 * 3.12 ms, if all of it is. Everything else is arithmetic too: prefill is 6% faster after level 3, and quantised products between ops in
 * f16 more than twice. Weights of 4 bits in blocks are unpacked, which level 3 hides behind reads better: GPT-2 124M 2.10 ms in place of 2.28, Gemma 270M
 * 5.57 in place of 7.17. All vendor-simulated: docs/htp-legalisation.md.
 */
export const finalizeLevel = (
  { tokens, fixedPoint = false }: Pick<ManifestEntry, "tokens" | "fixedPoint">,
  { precision, blockSize }: Pick<Manifest, "precision" | "blockSize">,
): number => {
  const unpacks = precision.startsWith("w4") && blockSize !== undefined;
  return tokens === 1 && !unpacks && (precision === "f16" || fixedPoint) ? 2 : 3;
};
