/** How much effort finalization makes, per entry point: the highest level is not always the fastest graph. */

/**
 * With one row a run does nothing but read, and level 2 schedules the reads without a gap where level 3 leaves some: GPT-2 124M in f16
 * at 256 places takes 5.65 ms after level 2 and 5.80 ms after level 3, in half the time. More rows are arithmetic, which level 3 does
 * 6% faster. All vendor-simulated: docs/htp-legalisation.md.
 */
export const finalizeLevel = ({ tokens }: { readonly tokens: number }): number => (tokens === 1 ? 2 : 3);
