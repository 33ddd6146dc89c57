/** What a person reads when operands do not fit: op, value, types, place, and what was expected. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as ir from "../../src/ir/index.ts";

const T = ir.sym("T", 1, 1024);
const f32 = (name: string, ...shape: ir.Dim[]) => ir.input(name, "f32", ...shape);
const x = f32("x", T, 8);
const heads = f32("q", 4, T, 8);
const position = ir.input("position", "i32", 1);

const cases: readonly [build: () => unknown, message: string][] = [
  [() => ir.add(x, f32("y", T, 9)), "add: shapes do not broadcast: a f32[Tx8], b f32[Tx9]"],
  [() => ir.add(x, ir.iota({ length: 8 })), "add: element types differ: a f32[Tx8], b i32[8]; cast one of them"],
  [() => ir.exp(position), "exp: x must hold floats, not i32[1]; cast it first"],
  [() => ir.select(x, x, x), "select: cond must be bool, not f32[Tx8]"],
  [() => ir.matmul(x, f32("w", 9, 4)), "matmul: inner sizes differ: 8 of a f32[Tx8] against 9 of b f32[9x4]"],
  [
    () => ir.matmul(f32("a", 2, 3, 4), f32("b", 5, 4, 3)),
    "matmul: batch axes do not broadcast: a f32[2x3x4], b f32[5x4x3]",
  ],
  [
    () => ir.linear(x, f32("w", 4, 9)),
    "linear: x has 8 columns but w takes 9: x is f32[Tx8], w is f32[4x9] ([out, in])",
  ],
  [() => ir.linear(x, f32("w", 4, 8), f32("b", 5)), "linear: b must be [out=4], not f32[5]"],
  [
    () => ir.linear(x, ir.cast(f32("w", 4, 8), { dtype: "i8" })),
    "linear: w i8[4x8] does not go with f32 activations: it must be f32, f16, bf16 or a block type such as q8_0",
  ],
  [() => ir.layerNorm(x, f32("g", 8), f32("b", 7)), "layerNorm: beta must be [width=8], not f32[7]"],
  [() => ir.reduceSum(x, { axis: 2 }), "reduceSum: axis 2 does not exist: [Tx8] has rank 2, so axes -2..1"],
  [() => ir.reshape(x, { shape: [T, 9] }), "reshape: x f32[Tx8] has 8 x T elements but [Tx9] has 9 x T"],
  [() => ir.transpose(x, { perm: [0, 0] }), "transpose: perm [0,0] must name each axis of x f32[Tx8] once"],
  [() => ir.slice(x, { axis: 1, start: 4, size: 5 }), "slice: 4..4+5 is outside axis 1 of x f32[Tx8], which has 8"],
  [
    () => ir.slice(x, { axis: 0, start: 0, size: 2 }),
    "slice: 0..0+2 is outside axis 0 of x f32[Tx8], which has T in 1..1024",
  ],
  [
    () => ir.concat([x, x], { axis: 0 }),
    "concat: the size along axis 0 must be a number here but is the symbol T: bind the graph first (bind(graph, { T: 1024 }))",
  ],
  [() => ir.concat([], { axis: 0 }), "concat: needs at least one operand"],
  [
    () => ir.concat([x, f32("y", T, 8, 1)], { axis: 1 }),
    "concat: sizes other than axis 1 must be equal: f32[Tx8] against f32[Tx8x1]",
  ],
  [() => ir.gather(x, x), "gather: indices must be i32, not f32[Tx8]"],
  [
    () => ir.constant({ dtype: "f32", shape: [3], values: [1, 2] }),
    "constant: 2 values do not fill [3]: give 3, or one for all",
  ],
  [() => ir.splitHeads(x, { heads: 3 }), "splitHeads: 8 columns cannot be split into 3 heads: x is f32[Tx8]"],
  [
    () => ir.attention(heads, f32("k", 3, T, 8), f32("v", 3, T, 8), { scale: 1 }),
    "attention: 4 heads of q cannot share 3 heads of k and v: q is f32[4xTx8], v is f32[3xTx8]",
  ],
  [
    () => ir.attention(heads, f32("k", 4, T, 4), f32("v", 4, T, 8), { scale: 1 }),
    "attention: k must be [G=4, S=T, D=8], not f32[4xTx4]",
  ],
  [
    () => ir.attention(f32("q", 1, 5, 8), f32("k", 1, 3, 8), f32("v", 1, 3, 8), { scale: 1 }),
    "attention: causal attention of 5 queries needs at least as many keys, not 3: q is f32[1x5x8], k is f32[1x3x8]",
  ],
  [
    () => ir.cachedAttention(heads, f32("k", 4, 64, 8), f32("v", 4, 64, 8), position, { scale: 1 }),
    "cachedAttention: k must be [G=4, D=8, C=64], not f32[4x64x8]",
  ],
  [
    () => ir.cachedAttention(heads, f32("k", 4, 8, 64), f32("v", 4, 64, 8), x, { scale: 1 }),
    "cachedAttention: position must be i32[1], not f32[Tx8]",
  ],
  [
    () => ir.flashAttention(heads, heads, heads, { scale: 1, blockK: 0 }),
    "flashAttention: blockK must be positive, not 0",
  ],
  [
    () => ir.kvAppend(f32("c", 4, 8, 64), f32("s", 4, 7, 1), position, { axis: 2 }),
    "kvAppend: slice f32[4x7x1] must be as cache f32[4x8x64] but for axis 2",
  ],
  [
    () => ir.mlp(x, f32("w1", 32, 8), f32("b1", 32), f32("w2", 8, 31), f32("b2", 8), { activation: "gelu" }),
    "mlp: w2 must be [D=8, F=32], not f32[8x31]",
  ],
  [
    () => ir.mlp(x, f32("w1", 32, 8), f32("b1", 32), f32("w2", 8, 32), f32("b2", 8), { activation: "relu" }),
    'mlp: activation must be one of geluTanh, gelu, silu, none, not "relu"',
  ],
  [
    () => ir.mlp(x, f32("w1", 32, 8), f32("b1", 32), f32("w2", 8, 32), f32("b2", 8), { activation: "toString" }),
    'mlp: activation must be one of geluTanh, gelu, silu, none, not "toString"',
  ],
  [() => f32("x", -3), "input %x: attribute shape must be a list of sizes, not [-3]"],
  [
    () => ir.reshape(f32("y", 2, 3), { shape: [-2, -3] }),
    "reshape: attribute shape must be a list of sizes, not [-2,-3]",
  ],
  [() => ir.rope(heads, f32("cos", T, 8), f32("sin", T, 4)), "rope: cos must be [T, D/2=4], not f32[Tx8]"],
  [
    () => ir.rmsNorm(f32("x", 4, T), f32("g", T)).op.expand(ir.rmsNorm(f32("x", 4, T), f32("g", T))),
    "rmsNorm: the width of a mean must be a number here but is the symbol T: bind the graph first (bind(graph, { T: 1024 }))",
  ],
  [() => ir.softmax.build([x, x], { axis: 0 }), "softmax: takes x but got 2 operands"],
  [() => ir.softmax.build([x], { axs: 0 }), "softmax: has no attribute axs; it takes axis"],
  [() => ir.softmax.build([x], { toString: 0 }), "softmax: has no attribute toString; it takes axis"],
  [() => ir.softmax.build([x], { axis: "last" }), 'softmax: attribute axis must be an integer, not "last"'],
];

for (const [build, message] of cases)
  test(message, () => {
    assert.throws(build, (e: Error) => {
      assert.is(e.message, message);
      return true;
    });
  });

test("an error names the value and the line that it was written on", () => {
  const loc = { file: "graphs/models/gpt2.ts", line: 41, column: 17 };
  assert.throws(
    () => ir.withOrigin({ name: "h3", loc }, () => ir.linear(x, f32("w", 4, 9))),
    (e: ir.HeddleError) => {
      assert.is(
        e.message,
        "graphs/models/gpt2.ts:41:17: linear %h3.linear: x has 8 columns but w takes 9: x is f32[Tx8], w is f32[4x9] ([out, in])",
      );
      assert.equal(e.context.loc, loc);
      return true;
    },
  );
});

test("a failing evaluation names the node and its line", () => {
  const loc = { file: "graphs/models/gpt2.ts", line: 90, column: 3 };
  const node = ir.gather.build([f32("wte", 4, 8), position], {}, { name: "x", loc });
  assert.throws(
    () => ir.evaluateNodes([node], { inputs: { wte: new Float32Array(32), position: [-1] } }),
    (e: Error) => e.message === "graphs/models/gpt2.ts:90:3: gather %x: index -1 is outside 0..3, the rows of f32[4x8]",
  );
});

test.run();
