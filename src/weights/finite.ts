/** Weights must be numbers: the place of the first that is not, in words. */
import { HeddleError } from "../ir/error.ts";

/**
 * @param firstRow where in the tensor the values begin, along its first axis.
 * @throws HeddleError with the index of the first NaN or infinity.
 */
export function checkFinite(values: Float32Array, shape: readonly number[], subject: string, firstRow = 0): void {
  const bad = firstNotFinite(values);
  if (bad < 0) return;
  const [row = 0, ...rest] = indexOf(bad, shape);
  throw new HeddleError(`has ${values[bad]} at [${[row + firstRow, ...rest].join(", ")}]; weights must be finite`, {
    subject,
    hint: "use another checkpoint: this one is broken, as after a training run that diverged",
  });
}

/** The position of the first NaN or infinity, or -1: v - v is 0 for finite values only. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return i;
  return -1;
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const size of [...shape].reverse()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index;
}
