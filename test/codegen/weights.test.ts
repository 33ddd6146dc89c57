import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { materialize } from "../../src/codegen/materialize.ts";
import { alignment, WeightTable } from "../../src/codegen/weights.ts";
import { writeWeights } from "../../src/codegen/weights-file.ts";
import {
  add,
  type BlockType,
  blockScales,
  cast,
  concat,
  constant,
  type DType,
  evaluateNodes,
  iota,
  less,
  mul,
  type Node,
  param,
  quantize,
  quantizeWeight,
  slice,
  transpose,
  weightScales,
} from "../../src/ir/index.ts";
import { bf16ToF32, f16ToF32 } from "../../src/weights/half.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import type { WeightSource } from "../../src/weights/source.ts";
import { tempFolder } from "../support/temp.ts";
import { noise } from "./programs.ts";

const weight = (name: string, ...shape: number[]): Node => param({ name, dtype: "f32", shape });
const a = weight("a", 32, 16);
const b = weight("b", 32, 16);

/** A source that counts its reads. */
function counting(values: (name: string, count: number) => Float32Array = (_, n) => noise(n)) {
  const reads: string[] = [];
  const source: WeightSource = {
    name: "test",
    fingerprint: "test",
    check: () => {},
    read: (name, shape) => {
      reads.push(name);
      return values(
        name,
        shape.reduce((n, d) => n * d, 1),
      );
    },
    close: () => {},
  };
  return { source, reads };
}

const table = (...nodes: Node[]): WeightTable => {
  const t = new WeightTable();
  for (const n of nodes) t.add(n);
  return t;
};

test("equal expressions are stored once, in the order in which they were asked for, aligned", () => {
  const t = table(
    transpose(b, { perm: [1, 0] }),
    weight("bias", 3),
    a,
    transpose(weight("b", 32, 16), { perm: [1, 0] }),
  );
  assert.equal(
    t.weights.map((w) => [w.name, w.offset, w.bytes]),
    [
      ["transpose", 0, 2048],
      ["bias", 2048, 12],
      ["a", 2048 + alignment, 2048],
    ],
  );
  assert.is(t.bytes, 2 * 2048 + alignment);
});

test("rows of a checkpoint tensor are a view of it", () => {
  const t = new WeightTable();
  const rows = t.add(slice(a, { axis: 0, start: 4, size: 8 }));
  assert.equal([rows.offset, rows.bytes], [4 * 64, 8 * 64]);
  assert.equal(
    t.weights.map((w) => w.name),
    ["a"],
  );
  assert.is(t.add(slice(a, { axis: 1, start: 4, size: 8 })).offset, 2048, "columns are stored");
});

test("the key follows expressions, order and sizes, not names", () => {
  const sum = mul(a, b);
  const key = table(a, sum).key;
  assert.is(table(weight("a", 32, 16), mul(a, b)).key, key);
  for (const other of [
    table(sum, a),
    table(a, add(a, b)),
    table(a),
    table(a, mul(b, a)),
    table(weight("a", 16, 32), sum),
  ])
    assert.is.not(other.key, key);
});

test("bytes are what the interpreter computes, and a checkpoint tensor is read once", () => {
  const { source, reads } = counting();
  const nodes = [
    transpose(a, { perm: [1, 0] }),
    concat([a, b], { axis: 0 }),
    cast(mul(a, b), { dtype: "f16" }),
    less(iota({ length: 4 }), iota({ length: 4 })),
    a,
  ];
  const bytes = [...materialize(table(...nodes).weights, source)];
  const [first, second, , , last] = evaluateNodes(nodes, {
    params: (_, t) => noise(t.shape.reduce<number>((n, d) => n * (d as number), 1)),
  });
  const f32 = (i: number) => new Float32Array(bytes[i]!.slice().buffer);
  assert.equal(f32(0), first!.data);
  assert.equal(f32(1), second!.data);
  assert.is(bytes[2]!.length, 2 * 512);
  assert.equal([...bytes[3]!], [0, 0, 0, 0]);
  assert.equal(f32(4), last!.data);
  assert.equal(reads, ["a", "b"]);
});

test("constants that JSON cannot tell apart are weights of their own", () => {
  const fill = (value: number) => constant({ dtype: "f32", shape: [32], values: [value] });
  const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
  const { source } = counting();
  const bytes = [...materialize(table(...values.map(fill)).weights, source)];
  const first = bytes.map((b) => new Float32Array(b.slice().buffer)[0]!);
  assert.ok(first.length === 4 && first.every((x, i) => Object.is(x, values[i])), first.join());
});

test("integers and f64 have the width of their type; a cast of integers converts", () => {
  const { source } = counting((_, n) => Float32Array.from({ length: n }, (_v, i) => i / 3));
  const count = iota({ length: 300 });
  const as = (dtype: DType) => cast(count, { dtype });
  const t = table(as("u16"), as("i8"), as("f16"), as("bf16"), cast(weight("a", 8), { dtype: "f64" }));
  const bytes = [...materialize(t.weights, source)].map((b) => b.slice().buffer);
  assert.equal(
    bytes.map((b, i) => b.byteLength - t.weights[i]!.bytes),
    [0, 0, 0, 0, 0],
  );
  assert.is(new Uint16Array(bytes[0]!)[299], 299);
  assert.is(new Int8Array(bytes[1]!)[299], 127);
  assert.is(f16ToF32(new Uint16Array(bytes[2]!))[299], 299);
  assert.is(bf16ToF32(new Uint16Array(bytes[3]!))[200], 200);
  assert.is(new Float64Array(bytes[4]!)[7], Math.fround(7 / 3));
});

test("the file has every weight at its offset, and its hash", async () => {
  const { source } = counting();
  const t = table(weight("bias", 3), a);
  const path = join(tempFolder(), "weights.bin");
  const seen: number[] = [];
  const { bytes, sha256 } = await writeWeights(t, source, path, (done, total) => seen.push(done / total));
  const file = readFileSync(path);
  assert.is(file.length, bytes);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.equal(new Float32Array(file.buffer.slice(file.byteOffset + 64, file.byteOffset + 64 + 2048)), noise(512));
  assert.is(seen.at(-1), 1);
});

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
  const head = (w: Node, bits: number, method: string) => {
    const scales = weightScales(w, { bits, method });
    return [quantizeWeight(w, scales, { bits }), scales];
  };
  const units = weightScales(slice(large, { axis: 0, start: 0, size: 1 << 10 }), {
    bits: 4,
    method: "mse",
    blockSize: 32,
  });
  const blocks = blockScales(slice(large, { axis: 0, start: 0, size: 1 << 10 }), units, { blockSize: 32 });
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

async function failure(t: WeightTable, source: WeightSource): Promise<string> {
  const folder = tempFolder();
  try {
    await writeWeights(t, source, join(folder, "weights.bin"));
  } catch (e) {
    assert.equal(readdirSync(folder), [], "nothing is left behind");
    return (e as Error).message;
  }
  assert.unreachable();
  return "";
}

test("a weight that cannot be read leaves no file", async () => {
  const { source } = counting((name, n) => {
    if (name === "b") throw new Error("the disk is on fire");
    return noise(n);
  });
  assert.match(await failure(table(a, b), source), "weight b: the disk is on fire");
});

test("a product that is not finite names its checkpoint tensors", async () => {
  const { source } = counting((_, n) => new Float32Array(n).fill(1e30));
  assert.match(
    await failure(table(mul(a, b)), source),
    "weight mul: element 0 of f32[32x16] is Infinity, computed from a, b",
  );
});

test("a value that f16 cannot hold is an error, not an infinity", async () => {
  const { source } = counting((_, n) => noise(n).fill(70000, 5, 6));
  const message = await failure(table(cast(a, { dtype: "f16" })), source);
  assert.match(message, "weight cast: element 5 of f16[32x16] is 70000, more than f16 can hold (from a)");
  assert.match(message, "compile with f32 weights");
});

test("a file appears whole or not at all", async () => {
  const path = join(tempFolder(), "weights.bin");
  const { source } = counting();
  await writeWeights(table(a), source, path, () => assert.not(existsSync(path)));
  assert.ok(existsSync(path));
});

test.run();
