/** The multiple of its row's scale that suits each block of weights best: all of them are tried. */
import type { Data, Tensor } from "./tensor.ts";
import { blockLevels, fit } from "./weight-scales.ts";

/** Of 4-bit integers, the largest. */
const most = 7;

export function blockScalesInto(
  w: Tensor,
  blockSize: number,
  scales: Data,
  importance: Data | undefined,
  out: Data,
): void {
  const columns = w.shape[1]!;
  const blocks = columns / blockSize;
  for (let block = 0; block < out.length; block++) {
    const values = w.data.subarray(block * blockSize, (block + 1) * blockSize);
    const at = (block % blocks) * blockSize;
    const weights = importance?.subarray(at, at + blockSize);
    let least = Number.POSITIVE_INFINITY;
    for (let level = 1; level <= blockLevels; level++) {
      const { error } = fit(values, most, scales[Math.floor(block / blocks)]! * level, weights);
      if (error < least) [out[block], least] = [level, error];
    }
  }
}
