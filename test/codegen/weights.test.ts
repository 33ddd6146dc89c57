import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { materialize } from "../../src/codegen/materialize.ts";
import { alignment, WeightTable } from "../../src/codegen/weights.ts";
import { writeWeights } from "../../src/codegen/weights-file.ts";
import {
  add,
  cast,
  concat,
  constant,
  type DType,
  evaluateNodes,
  iota,
  less,
  mul,
  slice,
  transpose,
} from "../../src/ir/index.ts";
import { bf16ToF32, f16ToF32 } from "../../src/weights/half.ts";
import { tempFolder } from "../support/temp.ts";
import { noise } from "./programs.ts";
import { counting, failure, table, weight } from "./weight-tables.ts";

const a = weight("a", 32, 16);
const b = weight("b", 32, 16);

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
