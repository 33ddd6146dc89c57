import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  bind,
  cachedAttention,
  cast,
  costOf,
  gather,
  geluTanh,
  graph,
  input,
  kvAppend,
  linear,
  nodeCosts,
  param,
  reshape,
  sym,
  transpose,
} from "../../src/ir/index.ts";

const T = sym("T", 1, 64);
const x = input("x", "f32", T, 8);
const w = param({ name: "w", dtype: "f32", shape: [8, 16] });

test("a weight costs the bytes that are stored, however it is made", () => {
  const y = linear(x, cast(transpose(w, { perm: [1, 0] }), { dtype: "f16" }));
  const g = bind(graph("g", { inputs: [x], outputs: [y] }), { T: 4 });
  assert.equal(costOf(g), {
    flops: 2 * 4 * 8 * 16,
    weightBytes: 16 * 8 * 2,
    activationBytes: 4 * (4 * 8 + 4 * 16),
    cacheBytes: 0,
  });
  assert.is(nodeCosts(g).size, 1);
});

test("only the rows of a table that are looked up are read", () => {
  const tokens = input("tokens", "i32", 3);
  const table = param({ name: "wte", dtype: "f16", shape: [50257, 8] });
  const g = graph("g", { inputs: [tokens], outputs: [gather(table, tokens)] });
  assert.equal(costOf(g), { flops: 0, weightBytes: 3 * 8 * 2, activationBytes: 3 * 4 + 3 * 8 * 4, cacheBytes: 0 });
});

test("an append moves its slice, attention reads the caches", () => {
  const k = input("k", "f32", 1, 8, 256);
  const v = input("v", "f32", 1, 256, 8);
  const position = input("position", "i32", 1);
  const row = input("row", "f32", 1, 8);
  const nextK = kvAppend(k, reshape(row, { shape: [1, 8, 1] }), position, { axis: 2 });
  const nextV = kvAppend(v, reshape(row, { shape: [1, 1, 8] }), position, { axis: 1 });
  const out = cachedAttention(reshape(row, { shape: [1, 1, 8] }), nextK, nextV, position, { scale: 1 });
  const state = [
    { cache: k, next: nextK },
    { cache: v, next: nextV },
  ];
  const g = graph("g", { inputs: [row, position, k, v], outputs: [out], state });
  const costs = [...nodeCosts(g)];
  const of = (op: string) => costs.find(([n]) => n.op.name === op)![1];
  assert.equal(of("kvAppend"), { flops: 0, weightBytes: 0, activationBytes: 32 + 4, cacheBytes: 32 });
  assert.equal(of("cachedAttention"), {
    flops: 256 * (4 * 8 + 5),
    weightBytes: 0,
    activationBytes: 32 + 4 + 32,
    cacheBytes: 2 * 256 * 32,
  });
  assert.equal(of("reshape"), { flops: 0, weightBytes: 0, activationBytes: 0, cacheBytes: 0 });
});

test("a composite counts the arithmetic of its expansion and the bytes of its operands", () => {
  const g = bind(graph("g", { inputs: [x], outputs: [geluTanh(x)] }), { T: 2 });
  // x * x * x, * 0.044715, + x, * sqrt(2/pi), tanh, + 1, x * 0.5 and their product: 9 for each element.
  assert.equal(costOf(g), { flops: 16 * 9, weightBytes: 0, activationBytes: 2 * 16 * 4, cacheBytes: 0 });
});

test("an operand that is read twice crosses memory once", () => {
  const square = input("square", "f32", 8, 8);
  assert.is(costOf(graph("g", { inputs: [square], outputs: [linear(square, square)] })).activationBytes, 2 * 64 * 4);
});

test("an unbound graph has no cost", () => {
  assert.throws(
    () => costOf(graph("g", { inputs: [x], outputs: [geluTanh(x)] })),
    (e: Error) =>
      e.message === "geluTanh: size T is not bound: bind the graph (bind(graph, { T: 128 })) before this step",
  );
});

test.run();
