/** What a session needs of a program, whether it has a cache or not. */

export interface Runner {
  /** Longest sequence that it takes, in tokens. */
  readonly capacity: number;
  /**
   * Logits [vocab] that follow the last token of `sequence`, which is not empty and fits. What an earlier run computed for
   * the same beginning may be used again. The array is the caller's.
   */
  run(sequence: readonly number[]): Promise<Float32Array>;
  /** Lets go of everything that earlier runs left. */
  reset(): void;
}
