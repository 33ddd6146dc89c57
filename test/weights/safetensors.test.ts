import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HeddleError } from "../../src/ir/error.ts";
import { openSafeTensors } from "../../src/weights/safetensors.ts";
import { f32, headerOf, type Overrides, type Written, writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

const path = join(tempFolder(), "m.safetensors");
const pair = { a: f32([2, 3], 1, 2, 3), b: f32([2], 4, 5) };

function refusal(over: Overrides, tensors: Record<string, Written> = pair): string {
  writeSafeTensors(path, tensors, over);
  try {
    openSafeTensors(path).close();
  } catch (e) {
    return (e as Error).message;
  }
  return "accepted";
}
const header = (change: (h: Record<string, Record<string, unknown>>) => void): Overrides => {
  const h = headerOf(pair) as Record<string, Record<string, unknown>>;
  change(h);
  return { header: JSON.stringify(h) };
};
const hint = "\n  try: fetch the file again: it is damaged, or it is not a safetensors file";

test("reads F32, F16 and BF16 as f32, exactly", () => {
  writeSafeTensors(path, {
    full: f32([2, 2], 1.5, -2, 3, 0.25),
    half: { dtype: "F16", shape: [5], data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000) },
    brain: { dtype: "BF16", shape: [3], data: Uint16Array.of(0x3f80, 0xc049, 0x0000) },
  });
  const file = openSafeTensors(path);
  assert.equal([...file.read("full")], [1.5, -2, 3, 0.25]);
  assert.equal([...file.read("half")], [1, -2, 2 ** -24, 65504, -0]);
  assert.equal([...file.read("brain")], [1, -3.140625, 0]);
  assert.equal(file.tensors.get("full")!.shape, [2, 2]);
  file.close();
});

test("names that mean something to JavaScript, and metadata of any length", () => {
  const names = ["__proto__", "constructor", "toString"];
  const entries = names.map((n, i) => `"${n}":{"dtype":"F32","shape":[1],"data_offsets":[${4 * i},${4 * i + 4}]}`);
  const header = `{"__metadata__":{"note":"${"long\\n".repeat(2 ** 22)}"},${entries.join()}}`;
  writeSafeTensors(path, { a: f32([3], 1, 2, 3) }, { header });
  const file = openSafeTensors(path);
  assert.equal([...file.tensors.keys()], names);
  assert.equal([...file.read("__proto__")], [1]);
  file.close();
  assert.match(refusal({ header: header.replace("toString", "constructor") }), /tensor constructor: appears twice/);
});

test("metadata and an empty tensor are fine", () => {
  const tensors = { none: f32([0, 4]), a: f32([1], 1) };
  const text = JSON.stringify({ __metadata__: { format: "pt" }, ...headerOf(tensors) });
  assert.is(refusal({ header: `${text}   ` }, tensors), "accepted");
});

test("a file that ends early, or says so of its header", () => {
  assert.is(
    refusal({ extra: -1000 }),
    `m.safetensors: has 0 bytes: a safetensors file starts with 8 bytes of header length${hint}`,
  );
  assert.is(
    refusal({ declared: 2n ** 63n }),
    `m.safetensors: declares a header of 9223372036854775808 bytes; the format allows 100000000${hint}`,
  );
  assert.match(
    refusal({ declared: 5000n }),
    /^m.safetensors: declares a header of 5000 bytes but has \d+ bytes in all\n/,
  );
  assert.match(
    refusal({ extra: -4 }),
    /^m.safetensors, tensor b: ends at byte \d+ but the file has \d+: it is truncated, or its offsets lie\n/,
  );
  assert.match(refusal({ extra: 16 }), /^m.safetensors: has 16 bytes after its last tensor\n/);
});

test("a header that is no JSON object of tensors", () => {
  assert.match(refusal({ header: "{" }), /^m.safetensors: has a header that is not a JSON object\n/);
  for (const header of ["[]", `\ufeff${JSON.stringify(headerOf(pair))}`, ` ${JSON.stringify(headerOf(pair))}`])
    assert.match(refusal({ header }), /has a header that does not start with \{\n/);
  assert.match(refusal({ header: "\ud800{}", declared: 5n }), /not UTF-8|does not start with \{/);
  assert.match(
    refusal({ header: '{"a":null}' }),
    /^m.safetensors, tensor a: needs a dtype, a shape and two data_offsets/,
  );
  assert.match(
    refusal(header((h) => (h.a!.shape = [2, -3]))),
    /tensor a: needs a dtype, a shape and two data_offsets, each a list of whole numbers/,
  );
  assert.match(refusal(header((h) => (h.a!.shape = [2, 1.5]))), /tensor a: needs a dtype/);
  assert.match(refusal(header((h) => (h.a!.data_offsets = [0]))), /tensor a: needs a dtype/);
  assert.match(refusal(header((h) => (h.a!.dtype = "F33"))), /tensor a: has the unknown dtype "F33"/);
  assert.match(refusal(header((h) => (h.a!.dtype = "toString"))), /tensor a: has the unknown dtype "toString"/);
  const twice = JSON.stringify(headerOf(pair)).replace('"b"', '"a"');
  assert.match(refusal({ header: twice }), /^m.safetensors, tensor a: appears twice in the header\n/);
});

test("shapes and offsets that do not add up", () => {
  assert.is(
    refusal(header((h) => (h.a!.shape = [2, 4]))),
    `m.safetensors, tensor a: is F32 [2x4], 32 bytes, but its data_offsets [0, 24] hold 24${hint}`,
  );
  assert.match(refusal(header((h) => (h.a!.shape = [2 ** 40, 2 ** 40]))), /tensor a: is F32/);
  assert.match(refusal(header((h) => (h.a!.data_offsets = [24, 0]))), /hold -24/);
  assert.match(
    refusal(header((h) => (h.b!.data_offsets = [16, 24]))),
    /tensor b: overlaps the tensor before it: starts at byte \d+, that one ends at \d+/,
  );
  assert.match(refusal(header((h) => (h.b!.data_offsets = [28, 36]))), /tensor b: ends at byte/);
  assert.match(
    refusal({ ...header((h) => (h.b!.data_offsets = [28, 36])), extra: 4 }),
    /tensor b: starts at byte \d+, leaving 4 bytes that belong to no tensor/,
  );
  assert.match(
    refusal(header((h) => (h.b!.data_offsets = [2 ** 52, 2 ** 52 + 8]))),
    /tensor b: ends at byte 45\d+ but the file has/,
  );
});

test("NaN, infinity and integers are refused where they are", () => {
  const wide: Written = { dtype: "I64", shape: [1], data: BigInt64Array.of(1n) };
  writeSafeTensors(path, { a: f32([2, 3], 0, 1, 2, 3, Number.NaN, 5), b: f32([2], 1, -Infinity), c: wide });
  const file = openSafeTensors(path);
  assert.throws(() => file.read("a"), /^m.safetensors, tensor a: has NaN at \[1, 1\]; weights must be finite/);
  assert.equal([...file.readRows("a", 0, 1)], [0, 1, 2]);
  assert.throws(() => file.readRows("a", 1, 1), /tensor a: has NaN at \[1, 1\]/);
  assert.throws(() => file.read("b"), /tensor b: has -Infinity at \[1\]/);
  assert.throws(() => file.read("c"), "m.safetensors, tensor c: is I64; weights must be F32, F16 or BF16");
  file.close();
});

test("random damage is refused in words or read, never worse", () => {
  writeSafeTensors(path, pair);
  const sound = readFileSync(path);
  const length = Number(sound.readBigUInt64LE(0));
  const digits = fc.constantFrom(...'0123456789-.eE[]{},:"nul');
  const damage = fc.array(
    fc.tuple(
      fc.nat(length + 7),
      fc.oneof(
        digits.map((c) => c.charCodeAt(0)),
        fc.integer({ min: 0, max: 255 }),
      ),
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(damage, fc.integer({ min: -40, max: 8 }), (changes, extra) => {
      const bytes = Buffer.concat([
        sound.subarray(0, sound.length + Math.min(0, extra)),
        Buffer.alloc(Math.max(0, extra)),
      ]);
      for (const [at, value] of changes) bytes[at] = value;
      writeFileSync(path, bytes);
      try {
        const file = openSafeTensors(path);
        for (const t of file.tensors.values()) assert.ok(t.offset + t.bytes <= bytes.length);
        file.close();
      } catch (e) {
        assert.instance(e, HeddleError, (e as Error).stack);
      }
    }),
    { numRuns: 400, seed: 3 },
  );
});

test("no such file", () => {
  assert.throws(() => openSafeTensors("nowhere.safetensors"), "nowhere.safetensors: there is no such file");
  assert.throws(() => openSafeTensors("test"), "test: is not a file");
});

test.run();
