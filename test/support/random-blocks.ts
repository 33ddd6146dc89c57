/** Weights in blocks that nobody quantised. */
import { type BlockType, blockFormats } from "../../src/ir/index.ts";
import { scalePositions } from "../../src/weights/gguf/dequantize.ts";

/** Bytes that look like blocks: anything but for scales of 2^-8 to 2^-5. The same for the same name and row. */
export function randomBlocks(type: BlockType, name: string, columns: number, start: number, count: number): Uint8Array {
  const { elements, bytes } = blockFormats[type];
  const out = new Uint8Array(((count * columns) / elements) * bytes);
  let state = name.length * 977 + ((start * columns) / elements) * bytes;
  const random = () => (Math.imul(state++ ^ 0x5bd1e995, 0x2c1b3c6d) >>> 9) & 0xff;
  for (let i = 0; i < out.length; i++) out[i] = random();
  for (let b = 0; b < out.length; b += bytes)
    for (const at of scalePositions[type]) out[b + at + 1] = (out[b + at + 1]! & 0x83) | ((7 + (b % 4)) << 2);
  return out;
}
