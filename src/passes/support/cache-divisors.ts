/** Numbers by which channels of keys and values are divided before they are kept in few bits, and when that is worth it. */

/** By which keys and values of one attention are divided before they are kept: a positive number for each channel, [groups * dim]. */
export interface CacheDivisors {
  readonly keys: readonly number[];
  readonly values: readonly number[];
  /** What is taken from values before they are divided, for each channel; nothing where it is left out. */
  readonly origins?: readonly number[];
}

/** Channels that are smaller than this part of the middle one gain nothing from finer steps. */
const smallest = 2 ** -5;
/** Less than one bit, a quarter of the power of the noise, is not worth an op. */
const worthwhile = 4;

/**
 * Numbers that make the channels of a cache reach equally far, or all 1 where that would save less than a bit: an encoding of eight bits for
 * all of them follows the largest, which in keys of trained models is tens of times the middle one. Powers of two would round to as
 * much as 1.4 times the reach, at a cost of 3 dB.
 * @param reaches the largest magnitude of each channel
 * @param weights how much each channel counts: the reach of what it is multiplied by
 */
export function cacheDivisors(reaches: readonly number[], weights?: readonly number[]): number[] {
  const middle = [...reaches].sort((a, b) => a - b)[reaches.length >> 1]!;
  if (!(middle > 0)) return reaches.map(() => 1);
  const divisors = reaches.map((reach) => Math.fround(Math.max(reach / middle, smallest)));
  const ones = reaches.map(() => 1);
  return noise(reaches, ones, weights) >= worthwhile * noise(reaches, divisors, weights) ? divisors : ones;
}

/** Of channels that are kept divided, its power in units of one encoding's. */
function noise(reaches: readonly number[], of: readonly number[], weights?: readonly number[]): number {
  const step = reaches.reduce((most, reach, c) => Math.max(most, reach / of[c]!), 0);
  return of.reduce((sum, d, c) => sum + (step * d * (weights?.[c] ?? 1)) ** 2, 0);
}

/** So many times the noise of all other values, less than half a bit, may be paid for the first one. */
const payable = 1.5;

/**
 * Whether values should be kept as what they differ from those of the token that every text begins with. Trained models attend to that
 * one most of the time, and its values are small: few steps of eight bits, whose rounding is then in every result. Taken from all values it
 * is kept as zeros, and is added again in 16 bits: probabilities add up to 1, so that results move by as much as values.
 * @param reaches the largest magnitude of each channel
 * @param moved the same of the difference
 */
export const isWorthMoving = (reaches: readonly number[], moved: readonly number[]): boolean =>
  noise(moved, cacheDivisors(moved)) <= payable * noise(reaches, cacheDivisors(reaches));

/** Whether keys and values are kept as they are. */
export const isKept = ({ keys, values, origins }: CacheDivisors): boolean =>
  isPlain(keys) && isPlain(values) && !origins;

export const isPlain = (divisors: readonly number[]): boolean => divisors.every((d) => d === 1);
