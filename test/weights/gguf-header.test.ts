/** Headers of GGUF files: sound ones as another reader has them, broken ones refused in words, random ones without harm. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gguf } from "@huggingface/gguf";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HeddleError } from "../../src/ir/error.ts";
import { openRanges } from "../../src/weights/file.ts";
import { type GgufHeader, readGgufHeader } from "../../src/weights/gguf/header.ts";
import { f32Data, type GgufOverrides, type GgufTensorSpec, ggufBytes, type MetadataEntry } from "../support/gguf.ts";
import { tempFolder } from "../support/temp.ts";

const path = join(tempFolder(), "m.gguf");
type Metadata = readonly (readonly [key: string, ...entry: MetadataEntry])[];

const metadata: Metadata = [
  ["general.architecture", "string", "gemma3"],
  ["n", "u32", 7],
  ["minus", "i32", -7],
  ["big", "u64", 2n ** 63n],
  ["small", "u64", 12n],
  ["real", "f32", 0.5],
  ["yes", "bool", true],
  ["tokens", "strings", ["a", "ä", "\u2581the", ""]],
  ["scores", "floats", [1, -2.5]],
  ["types", "ints", [1, -3]],
];
const tensors: readonly GgufTensorSpec[] = [
  { name: "a", shape: [2, 3], type: 0, data: f32Data(1, 2, 3, 4, 5, 6) },
  { name: "b", shape: [2, 64], type: 8, data: new Uint8Array(4 * 34) },
  { name: "c", shape: [5], type: 1, data: new Uint8Array(10) },
];

function read(bytes: Uint8Array): GgufHeader {
  writeFileSync(path, bytes);
  const file = openRanges(path);
  try {
    return readGgufHeader(file);
  } finally {
    file.close();
  }
}
function refusal(over: GgufOverrides = {}, t = tensors, m: Metadata = metadata): string {
  try {
    read(ggufBytes(m, t, over));
  } catch (e) {
    assert.instance(e, HeddleError);
    return (e as Error).message;
  }
  return "accepted";
}
const changed = (i: number, change: Partial<GgufTensorSpec>) =>
  tensors.map((t, k) => (k === i ? { ...t, ...change } : t));
const hint = "\n  try: fetch the file again: it is damaged, or it is not a GGUF file";

test("a sound header reads as @huggingface/gguf reads it", async () => {
  for (const version of [2, 3]) {
    const ours = read(ggufBytes(metadata, tensors, { version }));
    const theirs = await gguf(path, { allowLocalFile: true });
    const { version: v, tensor_count, kv_count, ...pairs } = theirs.metadata as unknown as Record<string, unknown>;
    assert.equal([v, tensor_count, kv_count], [version, 3n, 10n]);
    assert.equal(Object.fromEntries(ours.metadata), { ...pairs, small: 12 });
    assert.equal(
      ours.tensors.map((t) => [t.name, t.shape, BigInt(t.offset)]),
      theirs.tensorInfos.map((t) => [t.name, t.shape.map(Number).reverse(), theirs.tensorDataOffset + t.offset]),
    );
    assert.equal(
      ours.tensors.map((t) => [t.type.name, t.bytes]),
      [
        ["F32", 24],
        ["Q8_0", 136],
        ["F16", 10],
      ],
    );
  }
});

test("what is no GGUF file of this order and version", () => {
  assert.is(refusal({ magic: "GGML" }), `m.gguf: does not start with GGUF${hint}`);
  assert.match(refusal({ version: 1 }), "m.gguf: is of version 1; 2 and 3 are known");
  assert.match(refusal({ version: 0x03000000 }), "m.gguf: is written in big-endian order; convert it");
  assert.match(refusal({ extra: -2000 }), "m.gguf: has 0 bytes: a GGUF file has at least 24");
});

test("counts that no file of this size can hold", () => {
  assert.match(
    refusal({ tensorCount: 2n ** 63n }),
    /m.gguf: declares 9223372036854775808 tensors, more than its \d+ bytes can hold/,
  );
  assert.match(refusal({ keyCount: 2n ** 40n }), /declares 1099511627776 keys, more than/);
  const bytes = ggufBytes(metadata, tensors);
  bytes.writeBigUInt64LE(2n ** 62n, 24);
  assert.throws(() => read(bytes), /m.gguf, key 0: declares 4611686018427387904 bytes of text, more than/);
});

test("a file that ends early, in its header or its data", () => {
  const bytes = ggufBytes(metadata, tensors);
  for (const length of [24, 30, 60, 150, 250, 300, 400])
    assert.throws(
      () => read(bytes.subarray(0, length)),
      /ends at byte \d+, inside its header|more than its \d+ bytes can hold/,
      String(length),
    );
  assert.match(
    refusal({ extra: -32 }),
    /m.gguf, tensor c: ends at byte \d+ but the file has \d+: it is truncated, or its offsets lie/,
  );
  assert.match(refusal({ extra: 64 }), /m.gguf: has \d+ bytes after its last tensor/);
});

test("tensors that overlap, leave gaps, or lie elsewhere", () => {
  assert.match(
    refusal({}, changed(1, { offset: 0n })),
    /tensor [ab]: overlaps the one before it: starts at byte \d+, that one ends/,
  );
  assert.match(
    refusal({}, changed(1, { offset: 33n })),
    /tensor b: starts at byte \d+; after the one before it comes \d+/,
  );
  assert.match(refusal({}, changed(2, { offset: 2n ** 63n })), /tensor c: ends at byte \d+ but the file has/);
  assert.match(refusal({}, changed(1, { name: "a" })), "tensor a: appears twice");
});

test("types and shapes that cannot be", () => {
  assert.match(refusal({}, changed(0, { type: 99 })), "tensor a: has the unknown type 99");
  assert.match(
    refusal({}, changed(1, { shape: [2, 65] })),
    "tensor b: is Q8_0 [2x65]: rows of Q8_0 are multiples of 32",
  );
  assert.match(refusal({}, changed(0, { shape: [2, 2, 2, 2, 2] })), "tensor a: has 5 axes; 4 are the most");
  const huge = [2 ** 31, 2 ** 31, 2 ** 31, 32];
  assert.match(
    refusal({}, changed(0, { shape: huge })),
    /tensor a: is \[32x2147483648x2147483648x2147483648\], too large to be true/,
  );
});

test("keys that are twice, of no known type, or not text", () => {
  assert.match(refusal({}, tensors, [...metadata, ["n", "u32", 8]]), "key n: appears twice");
  const bytes = ggufBytes([["key", "string", "value"]], []);
  bytes.writeUInt32LE(13, 24 + 8 + 3);
  assert.throws(() => read(bytes), "m.gguf, key key: has the unknown type 13 of value");
  const bad = ggufBytes([["key", "string", "value"]], []);
  bad[24 + 8 + 3 + 4 + 8] = 0xff;
  assert.throws(() => read(bad), /m.gguf, key key: has text at byte \d+ that is not UTF-8/);
  assert.match(
    refusal({}, tensors, [["general.alignment", "u32", 3]]),
    "key general.alignment: is 3; it must be a multiple of 8",
  );
});

test("random damage is refused in words or read, never worse", () => {
  const sound = ggufBytes(metadata, tensors);
  const damage = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(damage, fc.integer({ min: -sound.length, max: 40 }), (changes, extra) => {
      const bytes =
        extra < 0 ? Buffer.from(sound.subarray(0, sound.length + extra)) : Buffer.concat([sound, Buffer.alloc(extra)]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      let header: GgufHeader;
      try {
        header = read(bytes);
      } catch (e) {
        assert.instance(e, HeddleError, (e as Error).stack);
        return;
      }
      for (const t of header.tensors) assert.ok(t.offset + t.bytes <= bytes.length && t.bytes >= 0);
    }),
    { numRuns: 800, seed: 5 },
  );
});

test.run();
