/**
 * What is left of a sequence that no longer fits: its newest tokens, half as many as fit, behind those that open every text.
 * A model that has never seen a text without them, as Gemma without `<bos>`, writes nonsense when they are forgotten.
 * @param opening what the tokenizer puts in front of a text.
 */
export function newestHalf(
  sequence: readonly number[],
  opening: readonly number[],
  capacity: number,
): readonly number[] {
  const half = Math.max(1, Math.floor(capacity / 2));
  const opens = opening.length < half && opening.every((t, i) => sequence[i] === t) ? opening : [];
  return [...opens, ...sequence.slice(opens.length - half)];
}
