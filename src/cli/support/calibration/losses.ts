/** What a difference of logits costs a language model. */

/** log of the sum of exponentials of `n` values from `at` on. */
function logSumExp(x: ArrayLike<number>, at: number, n: number): number {
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = at; i < at + n; i++) if (x[i]! > peak) peak = x[i]!;
  let sum = 0;
  for (let i = at; i < at + n; i++) sum += Math.exp(x[i]! - peak);
  return peak + Math.log(sum);
}

/** Nats that the tokens after the first cost, summed: -log p(next) under the logits [rows, vocab] of each position. */
export function lossOf(logits: ArrayLike<number>, tokens: readonly number[]): number {
  const vocab = logits.length / tokens.length;
  let nats = 0;
  for (let t = 0; t + 1 < tokens.length; t++)
    nats += logSumExp(logits, t * vocab, vocab) - logits[t * vocab + tokens[t + 1]!]!;
  return nats;
}

/** Kullback-Leibler divergence KL(p || q) of next-token distributions, summed over rows, in nats. */
export function divergence(p: ArrayLike<number>, q: ArrayLike<number>, rows: number): number {
  const vocab = p.length / rows;
  let nats = 0;
  for (let t = 0; t < rows; t++) {
    const at = t * vocab;
    const [zp, zq] = [logSumExp(p, at, vocab), logSumExp(q, at, vocab)];
    for (let i = at; i < at + vocab; i++) nats += Math.exp(p[i]! - zp) * (p[i]! - zp - (q[i]! - zq));
  }
  return nats;
}

/** Power of a signal and of what differs from it, added up over any number of pieces. */
export class Noise {
  #signal = 0;
  #noise = 0;

  add(expected: ArrayLike<number>, actual: ArrayLike<number>): void {
    for (let i = 0; i < expected.length; i++) {
      const d = expected[i]! - actual[i]!;
      this.#signal += expected[i]! * expected[i]!;
      this.#noise += d * d;
    }
  }

  /** Signal to quantisation noise in dB; infinite where nothing differs. */
  get sqnr(): number {
    return 10 * Math.log10(this.#signal / this.#noise);
  }
}
