/** Address patterns of a DMA engine: which 32-bit words of a buffer a transfer touches, in order. */

/** Of one dimension, outermost first: how often, and how many elements (or words) apart. */
export interface Dim {
  readonly size: number;
  readonly stride: number;
}

/** Runs of neighbouring words: run `i` begins at `starts[i]` and has `run` words. */
export interface Pattern {
  readonly starts: Int32Array;
  readonly run: number;
  readonly words: number;
}

/** @param dims in words, outermost first; none for one run. @param offset in words. */
export function makePattern(dims: readonly Dim[], offset: number, words: number): Pattern {
  if (dims.length === 0) return { starts: Int32Array.of(offset), run: words, words };
  const merged = mergeInner(dims);
  const inner = merged.at(-1)!;
  const contiguous = inner.stride === 1;
  const outer = contiguous ? merged.slice(0, -1) : merged;
  let starts = Int32Array.of(offset);
  for (const { size, stride } of outer) {
    const more = new Int32Array(starts.length * size);
    for (let s = 0, at = 0; s < starts.length; s++) for (let i = 0; i < size; i++) more[at++] = starts[s]! + i * stride;
    starts = more;
  }
  const run = contiguous ? inner.size : 1;
  return { starts, run, words: run * starts.length };
}

/** Two dimensions of which the outer continues where the inner ends are one; of size 1 a dimension says nothing. */
function mergeInner(dims: readonly Dim[]): Dim[] {
  const merged: Dim[] = [];
  for (const d of [...dims].reverse()) {
    if (d.size === 1) continue;
    const inner = merged[0];
    if (inner && d.stride === inner.size * inner.stride)
      merged[0] = { size: d.size * inner.size, stride: inner.stride };
    else merged.unshift(d);
  }
  return merged.length ? merged : [{ size: 1, stride: 1 }];
}

/** First and last word that a pattern touches. */
export function bounds({ starts, run }: Pattern): { first: number; last: number } {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const s of starts) {
    if (s < first) first = s;
    if (s + run - 1 > last) last = s + run - 1;
  }
  return { first, last };
}

/** Whether two patterns have a word in common. */
export function overlap(a: Pattern, b: Pattern): boolean {
  const [one, other] = [bounds(a), bounds(b)];
  if (one.last < other.first || other.last < one.first) return false;
  const touched = new Uint8Array(one.last - one.first + 1);
  for (const s of a.starts) touched.fill(1, s - one.first, s - one.first + a.run);
  return b.starts.some((s) =>
    touched.subarray(Math.max(0, s - one.first), Math.max(0, s + b.run - one.first)).includes(1),
  );
}

/** Copies `n` words from position `fromAt` of one pattern to position `toAt` of another. */
export function copyWords(
  from: Int32Array,
  source: Pattern,
  fromAt: number,
  to: Int32Array,
  target: Pattern,
  toAt: number,
  n: number,
): void {
  let [i, s, j, d, left] = [
    Math.floor(fromAt / source.run),
    fromAt % source.run,
    Math.floor(toAt / target.run),
    toAt % target.run,
    n,
  ];
  while (left > 0) {
    const length = Math.min(source.run - s, target.run - d, left);
    const a = source.starts[i]! + s;
    const b = target.starts[j]! + d;
    if (length > 48) to.set(from.subarray(a, a + length), b);
    else for (let k = 0; k < length; k++) to[b + k] = from[a + k]!;
    left -= length;
    s += length;
    d += length;
    if (s === source.run) {
      s = 0;
      i++;
    }
    if (d === target.run) {
      d = 0;
      j++;
    }
  }
}
