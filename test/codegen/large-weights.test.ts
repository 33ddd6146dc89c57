/** Weights in blocks, and large ones: written as they are stored, piece by piece, row by row. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { materialize } from "../../src/codegen/materialize.ts";
import { writeWeights } from "../../src/codegen/weights-file.ts";
import {
  type BlockType,
  blockScales,
  cast,
  concat,
  constant,
  type Node,
  param,
  quantize,
  quantizeWeight,
  slice,
  weightScales,
} from "../../src/ir/index.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import type { WeightSource } from "../../src/weights/source.ts";
import { tempFolder } from "../support/temp.ts";
import { counting, failure, table, weight } from "./weight-tables.ts";

/** Rows of bytes that say which weight and row they are of. */
const inBlocks = (type: BlockType | undefined): WeightSource => ({
  ...counting().source,
  blocks: {
    typeOf: () => type,
    read: ({ name, shape }, start, count) => {
      const row = ((shape.at(-1) as number) / 32) * 34;
      return Uint8Array.from({ length: count * row }, (_, i) => name.charCodeAt(0) + start + Math.floor(i / row));
    },
  },
});
const stored = (name: string, rows: number, columns = 32) => param({ name, dtype: "q8_0", shape: [rows, columns] });

test("weights in blocks are written as they are stored: rows, cut and joined, 16 side by side", async () => {
  const part = slice(stored("b", 9), { axis: 0, start: 3, size: 2 });
  const t = table(concat([stored("a", 2), part], { axis: 0 }), weight("bias", 3));
  const path = join(tempFolder(), "weights.bin");
  await writeWeights(t, inBlocks("q8_0"), path);
  const file = readFileSync(path);
  // The scale of each row, then four codes of each row, plus 128.
  const rows = [97, 98, 101, 102, ...Array<number>(12).fill(0)];
  assert.equal(
    rows.map((_, r) => file[2 * r]),
    rows,
  );
  for (let word = 0; word < 8; word++)
    assert.equal(
      rows.map((_, r) => file[32 + 64 * word + 4 * r + 3]),
      rows.map((x) => x ^ 128),
    );
  assert.equal([t.weights[0]!.bytes, t.weights[1]!.offset], [544, 576]);
});

test("a large weight in blocks is written piece by piece", async () => {
  const t = table(stored("a", 20_000, 1024), weight("bias", 3));
  const path = join(tempFolder(), "weights.bin");
  const seen: number[] = [];
  const { bytes } = await writeWeights(t, inBlocks("q8_0"), path, (done) => seen.push(done));
  assert.is(statSync(path).size, bytes);
  assert.ok(seen.length > 2 && Math.max(...seen.map((s, i) => s - (seen[i - 1] ?? 0))) <= 2 ** 24, seen.join());
});

test("a large tensor comes row by row where the checkpoint can, and is what it is as a whole", async () => {
  const rows = 3000;
  const values = new Float32Array(rows * 2048).map((_, i) => (i % 97) - 48);
  const read: number[] = [];
  const source: WeightSource = {
    ...counting(() => values).source,
    readRows: (_, start, count) => {
      read.push(count);
      return values.slice(2048 * start, 2048 * (start + count));
    },
  };
  const large = weight("large", rows, 2048);
  const path = join(tempFolder(), "weights.bin");
  for (const expression of [large, cast(large, { dtype: "f16" })]) {
    const t = table(expression);
    await writeWeights(t, source, path);
    assert.equal(readFileSync(path).equals([...materialize(t.weights, source)][0]!), true);
  }
  assert.equal(read, [2048, 952, 2048, 952]);
  values[2500 * 2048 + 7] = 70000;
  const message = await failure(table(cast(large, { dtype: "f16" })), source);
  assert.match(message, `element ${2500 * 2048 + 7} of f16[3000x2048] is 70000, more than f16 can hold`);
});

test("what is computed from a large table row by row never reads it whole, and is what it is as a whole", () => {
  const [rows, columns] = [1 << 17, 160];
  const large = param({ name: "model.embed_tokens.weight", dtype: "f32", shape: [rows, columns] });
  const values = Array.from({ length: columns }, (_, i) => 1 + (i % 7));
  const importance = constant({ dtype: "f32", shape: [columns], values });
  const head = (w: Node, bits: number, method: string) => {
    const scales = weightScales.build(method === "mse" ? [w, importance] : [w], { bits, method });
    return [quantizeWeight(w, scales, { bits }), scales];
  };
  const units = weightScales(slice(large, { axis: 0, start: 0, size: 1 << 10 }), {
    bits: 4,
    method: "mse",
    blockSize: 32,
  });
  const blocks = blockScales(slice(large, { axis: 0, start: 0, size: 1 << 10 }), units, importance, { blockSize: 32 });
  const expressions = [
    quantize(large, { dtype: "u16", scale: 2 ** -18, offset: -32768 }),
    ...head(large, 8, "max"),
    ...head(slice(large, { axis: 0, start: 100_000, size: 777 }), 4, "mse"),
    blocks,
    quantizeWeight(slice(large, { axis: 0, start: 0, size: 1 << 10 }), units, blocks, { bits: 4 }),
  ];
  const source = seededWeights();
  const whole = [...materialize(table(...expressions).weights, source)];
  const byRows: WeightSource = {
    ...source,
    read: () => {
      throw new Error("the table is read whole");
    },
  };
  const pieces = [...materialize(table(...expressions).weights, byRows, { inPieces: true })];
  assert.ok(pieces.length > whole.length + 6);
  assert.is(Buffer.compare(Buffer.concat(pieces), Buffer.concat(whole)), 0);
});

test("blocks that the checkpoint has not", async () => {
  for (const [type, words] of [
    ["q4_0", "stored in q4_0"],
    [undefined, "not in blocks"],
  ] as const)
    assert.match(await failure(table(stored("a", 2)), inBlocks(type)), `a is wanted in q8_0 but is ${words}`);
});

test.run();
