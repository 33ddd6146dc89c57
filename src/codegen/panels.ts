/**
 * How weights in blocks lie in `weights.bin`: as panels, 16 rows side by side, so that a vector of a CPU holds the same place of
 * 16 rows. Each block is split into the words of its fields (2 bytes of a scale, 1 of a small scale, 4 of packed codes), and
 * word i of the 16 rows stands together. A panel takes as many bytes as its rows; missing rows of the last one are zero.
 * src/runtime/reference/kernels/blocks/format.h describes the same for who reads it.
 */
import type { BlockTensor } from "../ir/blocks.ts";
import { rowBytes } from "../ir/blocks.ts";
import { type BlockType, blockFormats } from "../ir/type.ts";

export const panelRows = 16;

/** Rows of a matrix with those that fill its last panel. */
export const paddedRows = (rows: number): number => Math.ceil(rows / panelRows) * panelRows;

/** Bytes of a weight in panels. */
export function panelBytes(t: BlockTensor): number {
  const rows = t.shape.slice(0, -1).reduce<number>((n, d) => n * (d as number), 1);
  return paddedRows(rows) * rowBytes(t);
}

/** `count` words of `unit` bytes, from byte `at` of a block on. */
interface Field {
  readonly at: number;
  readonly unit: 1 | 2 | 4;
  readonly count: number;
  /** What is done to a word on the way: 128 is added to each code, or fifth bits are sorted by the code's byte. */
  readonly change?: "unsigned" | "fifth-bits";
}

const fields: Readonly<Record<BlockType, readonly Field[]>> = {
  q4_0: [
    { at: 0, unit: 2, count: 1 },
    { at: 2, unit: 4, count: 4 },
  ],
  q5_0: [
    { at: 0, unit: 2, count: 1 },
    { at: 2, unit: 4, count: 1, change: "fifth-bits" },
    { at: 6, unit: 4, count: 4 },
  ],
  q8_0: [
    { at: 0, unit: 2, count: 1 },
    { at: 2, unit: 4, count: 8, change: "unsigned" },
  ],
  q4_k: [
    { at: 0, unit: 2, count: 2 },
    { at: 4, unit: 1, count: 12 },
    { at: 16, unit: 4, count: 32 },
  ],
  q5_k: [
    { at: 0, unit: 2, count: 2 },
    { at: 4, unit: 1, count: 12 },
    { at: 16, unit: 4, count: 40 },
  ],
  q6_k: [
    { at: 0, unit: 4, count: 48 },
    { at: 192, unit: 1, count: 16 },
    { at: 208, unit: 2, count: 1 },
  ],
};

/** Rows of `bytesPerRow` bytes, given in pieces of whole rows, as panels. */
export function* packPanels(type: BlockType, bytesPerRow: number, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const panel = panelRows * bytesPerRow;
  let rest = new Uint8Array();
  for (const piece of pieces) {
    // Pieces end anywhere where weights are joined; whole panels go on, the rest waits.
    const rows = rest.length ? joined(rest, piece) : piece;
    const whole = rows.length - (rows.length % panel);
    if (whole) yield packed(type, bytesPerRow, rows.subarray(0, whole));
    rest = rows.slice(whole);
  }
  if (rest.length) yield packed(type, bytesPerRow, joined(rest, new Uint8Array(panel - rest.length)));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** All fields begin at even bytes, so that pairs of bytes can be moved. */
function packed(type: BlockType, bytesPerRow: number, rows: Uint8Array): Uint8Array {
  const from = rows.byteOffset % 2 ? rows.slice() : rows;
  const [bytes, pairs] = [from, new Uint16Array(from.buffer, from.byteOffset, from.length / 2)];
  const out = new Uint8Array(rows.length);
  const outPairs = new Uint16Array(out.buffer);
  const size = blockFormats[type].bytes;
  for (let panel = 0; panel < rows.length; panel += panelRows * bytesPerRow)
    for (let block = 0; block < bytesPerRow; block += size)
      for (const { at, unit, count, change } of fields[type]) {
        const to = panel + (block + at) * panelRows;
        for (let r = 0; r < panelRows; r++) {
          const start = panel + r * bytesPerRow + block + at;
          if (unit === 1) for (let i = 0; i < count; i++) out[to + i * panelRows + r] = bytes[start + i]!;
          else if (unit === 2)
            for (let i = 0; i < count; i++) outPairs[to / 2 + i * panelRows + r] = pairs[start / 2 + i]!;
          else if (change === "fifth-bits") sortFifthBits(pairs, start / 2, outPairs, to / 2 + r * 2);
          else moveWords(pairs, start / 2, outPairs, to / 2 + r * 2, count, change === "unsigned" ? 0x8080 : 0);
        }
      }
  return out;
}

function moveWords(from: Uint16Array, at: number, to: Uint16Array, place: number, count: number, flip: number): void {
  for (let i = 0; i < count; i++) {
    to[place + i * 2 * panelRows] = from[at + 2 * i]! ^ flip;
    to[place + i * 2 * panelRows + 1] = from[at + 2 * i + 1]! ^ flip;
  }
}

/** Bit 4 g + j becomes bit 8 j + g: four codes that are next to each other find theirs at one place of four bytes. */
function sortFifthBits(from: Uint16Array, at: number, to: Uint16Array, place: number): void {
  const bits = from[at]! | (from[at + 1]! << 16);
  let sorted = 0;
  for (let g = 0; g < 8; g++) for (let j = 0; j < 4; j++) sorted |= ((bits >>> (4 * g + j)) & 1) << (8 * j + g);
  to[place] = sorted & 0xffff;
  to[place + 1] = sorted >>> 16;
}
