/** Seeded random values for proofs: the same name, type and seed always give the same numbers. */
import { isBlock } from "../../ir/blocks.ts";
import { roundTo } from "../../ir/evaluate/round.ts";
import type { Data } from "../../ir/evaluate/tensor.ts";
import { elements, isFloat, type TensorType } from "../../ir/type.ts";

/** FNV-1a over the text: a seed of 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** The mulberry32 generator: numbers in [0, 1). */
export function random(seed: string): () => number {
  let state = hash(seed);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Floats around zero, scaled so that a product with the tensor as a matrix neither grows nor fades; integers below `bound`.
 */
export function randomTensor(name: string, type: TensorType, seed: number, bound = 2): Data {
  const next = random(`${seed}:${name}`);
  const n = elements(type.shape);
  if (!isFloat(type.dtype) && !isBlock(type.dtype))
    return Int32Array.from({ length: n }, () => Math.floor(next() * bound));
  const fan = type.shape.length < 2 ? 3 : Math.min(...(type.shape.slice(-2) as number[]));
  const width = Math.sqrt(3 / fan);
  const data = new Float32Array(n);
  for (let i = 0; i < n; i++) data[i] = (2 * next() - 1) * width;
  roundTo(data, type.dtype);
  return data;
}
