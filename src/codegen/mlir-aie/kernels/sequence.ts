/** What the runtime sequences of all kernels are made of. */
import type { Dim } from "../design.ts";

/** An access pattern as the four dimensions that a copy has. A first dimension that does not repeat counts once. */
export function dims4(...dims: readonly Dim[]): Dim[] {
  return [...Array.from({ length: 4 - dims.length }, () => ({ size: 1, stride: 0 })), ...dims];
}

/** `count` in parts of at most `limit`. */
export function batches(count: number, limit: number): number[] {
  const parts = Math.ceil(count / limit);
  return Array.from({ length: parts }, (_, i) => Math.min(limit, count - i * limit));
}
