/** Block types: sizes as ggml lays them out, what accepts them, and what refuses them with which words. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as ir from "../../src/ir/index.ts";

const block = (dtype: ir.BlockType, ...shape: number[]) => ir.param({ name: "w", dtype, shape });
const x = ir.input("x", "f32", 2, 256);

test("bytes of a tensor, and of a row", () => {
  // sizeof(block) and QK of ggml's headers.
  const bytes = { q8_0: 272, q4_0: 144, q5_0: 176, q4_k: 144, q5_k: 176, q6_k: 210 };
  for (const [dtype, row] of Object.entries(bytes)) {
    const t = { dtype: dtype as ir.BlockType, shape: [3, 256] };
    assert.is(ir.bytesOf(t), 3 * row, dtype);
    assert.is(ir.rowBytes(t), row, dtype);
  }
});

test("a weight in blocks is the floats that it stands for", () => {
  const w = Array.from({ length: 512 }, (_, i) => Math.sin(i));
  const at = Array.from({ length: 512 }, (_, i) => Math.cos(i));
  const of = (dtype: ir.DType) => {
    const p = ir.param({ name: "w", dtype, shape: [2, 256] });
    const tokens = ir.input("tokens", "i32", 1);
    return ir.evaluateNodes([ir.linear(x, p), ir.gather(p, tokens), ir.cast(p, { dtype: "f32" })], {
      inputs: { x: at, tokens: [1] },
      params: () => w,
    });
  };
  assert.equal(
    of("q6_k").map((t) => [t.type.dtype, t.data]),
    of("f32").map((t) => [t.type.dtype, t.data]),
  );
});

test("text reads back", () => {
  const g = ir.graph("g", { inputs: [x], outputs: [ir.linear(x, block("q4_k", 8, 256))] });
  assert.match(ir.print(g), "q4_k[8x256]");
  assert.is(ir.print(ir.parse(ir.print(g))), ir.print(g));
});

test("rows move whole", () => {
  const rows = ir.concat([block("q8_0", 2, 64), ir.slice(block("q8_0", 9, 64), { axis: 0, start: 1, size: 3 })], {
    axis: 0,
  });
  assert.is(ir.showType(rows.type), "q8_0[5x64]");
  const apart = /q8_0\[2x64\] is stored in blocks, whose rows cannot be taken apart: use axis 0, or cast it to f32/;
  assert.throws(() => ir.slice(block("q8_0", 2, 64), { axis: 1, start: 0, size: 32 }), apart);
  assert.throws(() => ir.concat([block("q8_0", 2, 64), block("q8_0", 2, 64)], { axis: 1 }), apart);
  assert.throws(() => ir.gather(block("q8_0", 2, 64), ir.input("i", "i32", 1), { axis: 1 }), apart);
  assert.throws(() => ir.concat([block("q8_0", 2, 64), block("q5_0", 2, 64)], { axis: 0 }), /element types differ/);
});

test("rows that are no multiple of a block, vectors, and symbols", () => {
  assert.throws(() => block("q4_k", 4, 128), /q4_k\[4x128\] is not made of blocks: rows of q4_k are multiples of 256/);
  assert.throws(() => block("q8_0", 64), /q8_0\[64\] is not made of blocks/);
  assert.throws(() => ir.input("c", "q8_0", 4, 64), /cannot yield q8_0\[4x64\], a type of stored weights/);
});

test("nothing computes with blocks or makes them", () => {
  const w = block("q8_0", 256, 256);
  assert.throws(() => ir.add(w, w), /cannot yield q8_0/);
  assert.throws(() => ir.matmul(x, w), /q8_0/);
  assert.throws(
    () => ir.transpose(w, { perm: [1, 0] }),
    /cannot yield q8_0\[256x256\], a type of stored weights: cast/,
  );
  assert.throws(() => ir.reshape(w, { shape: [128, 512] }), /cannot yield q8_0/);
  assert.throws(() => ir.cast(x, { dtype: "q8_0" }), /cannot make q8_0: blocks come from a file of weights/);
  assert.throws(() => ir.linear(ir.input("h", "f16", 2, 256), w), /does not go with f16 activations/);
});

test.run();
