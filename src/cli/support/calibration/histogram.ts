/** How the values of one tensor are distributed: a histogram around zero that grows as larger values come. */
import type { Range } from "../../../passes/support/encoding.ts";

const bins = 2048;

/** Bins over -limit .. limit; when a value lies outside, limit doubles and bins merge in pairs towards zero. */
export class Histogram {
  readonly #counts = new Float64Array(2 * bins);
  #limit = 2 ** -20;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  count = 0;
  notFinite = 0;

  add(values: Float32Array): void {
    let [min, max] = [this.min, this.max];
    for (let i = 0; i < values.length; i++) {
      const x = values[i]!;
      if (x < min && x !== Number.NEGATIVE_INFINITY) min = x;
      if (x > max && x !== Number.POSITIVE_INFINITY) max = x;
    }
    [this.min, this.max] = [min, max];
    while (Math.max(-min, max) > this.#limit) this.#double();
    const scale = bins / this.#limit;
    for (let i = 0; i < values.length; i++) {
      const at = Math.floor(values[i]! * scale) + bins;
      if (at >= 0 && at < 2 * bins) this.#counts[at]!++;
      else if (values[i] === this.#limit) this.#counts[2 * bins - 1]!++;
      else this.notFinite++;
    }
    this.count += values.length;
  }

  #double(): void {
    this.#limit *= 2;
    const c = this.#counts;
    // From the middle outwards, so that what is still needed is not overwritten.
    for (let i = 0; i < bins; i++) {
      const up = 2 * i < bins ? c[bins + 2 * i]! + c[bins + 2 * i + 1]! : 0;
      const down = 2 * i < bins ? c[bins - 1 - 2 * i]! + c[bins - 2 - 2 * i]! : 0;
      c[bins + i] = up;
      c[bins - 1 - i] = down;
    }
  }

  /** The least and largest value seen. */
  get range(): Range {
    return { min: this.min, max: this.max };
  }

  /** The range without `share` of the values, half of it at each end. */
  percentile(share: number): Range {
    const cut = (this.count * share) / 2;
    const edge = (i: number) => ((i - bins) / bins) * this.#limit;
    let [low, high] = [0, 2 * bins];
    for (let sum = 0; low < high && sum + this.#counts[low]! <= cut; low++) sum += this.#counts[low]!;
    for (let sum = 0; high > low && sum + this.#counts[high - 1]! <= cut; high--) sum += this.#counts[high - 1]!;
    return { min: Math.max(this.min, edge(low)), max: Math.min(this.max, edge(high)) };
  }

  /** The range whose `levels` steps give the least squared error: what is cut off against how fine the rest is. */
  leastError(levels: number): Range {
    let best = this.range;
    let least = Number.POSITIVE_INFINITY;
    for (let share = 1; share > 0.3; share -= 0.02) {
      const range = { min: Math.min(0, this.min) * share, max: Math.max(0, this.max) * share };
      const error = this.#error(range, levels);
      if (error < least) [best, least] = [range, error];
    }
    return best;
  }

  #error({ min, max }: Range, levels: number): number {
    const step = (max - min) / (levels - 1);
    let error = 0;
    for (let i = 0; i < 2 * bins; i++) {
      if (this.#counts[i] === 0) continue;
      const x = ((i + 0.5 - bins) / bins) * this.#limit;
      const cut = x < min ? min - x : x > max ? x - max : 0;
      // Rounding to a step is off by its twelfth, squared, on average.
      error += this.#counts[i]! * (cut * cut + (step * step) / 12);
    }
    return error;
  }
}
