import { test } from "uvu";
import * as assert from "uvu/assert";
import { simplifications } from "../../src/codegen/simplify.ts";
import {
  add,
  cast,
  constant,
  evaluate,
  gather,
  graph,
  input,
  iota,
  matmul,
  type Node,
  param,
  reshape,
  rewrite,
  slice,
  topo,
  transpose,
} from "../../src/ir/index.ts";
import { maxDifference, noise } from "./programs.ts";

const x = input("x", "f32", 1, 4, 6);
const cube = input("x", "f32", 2, 4, 3);
const row = input("row", "f32", 4, 6);
const table = param({ name: "table", dtype: "f32", shape: [8, 6] });
const bias = param({ name: "bias", dtype: "f32", shape: [8] });

/** What each value becomes, as op names. */
const cases: readonly [name: string, value: Node, ops: readonly string[]][] = [
  ["a transpose of axes of size 1 is a reshape", transpose(x, { perm: [1, 0, 2] }), ["reshape"]],
  ["a transpose that moves elements stays", transpose(x, { perm: [0, 2, 1] }), ["transpose"]],
  ["two transposes are one", transpose(transpose(cube, { perm: [0, 2, 1] }), { perm: [2, 0, 1] }), ["transpose"]],
  ["two transposes that cancel out", transpose(transpose(x, { perm: [0, 2, 1] }), { perm: [0, 2, 1] }), []],
  ["two reshapes are one", reshape(reshape(x, { shape: [24] }), { shape: [6, 4] }), ["reshape"]],
  ["a reshape to the same shape", reshape(x, { shape: [1, 4, 6] }), []],
  ["a cast to the same type", cast(x, { dtype: "f32" }), []],
  ["a slice of all", slice(x, { axis: 1, start: 0, size: 4 }), []],
  ["the first rows of a table", gather(table, iota({ length: 3 })), ["param", "slice"]],
  ["a count of one", add(input("p", "i32", 1), iota({ length: 1 })), []],
  ["a transposed right operand", matmul(row, transpose(table, { perm: [1, 0] })), ["param", "matmul"]],
  ["x w^T + b is a linear layer", add(matmul(row, table, { transposeB: true }), bias), ["param", "param", "linear"]],
  ["adding zero", add(x, constant({ dtype: "f32", shape: [1], values: [0] })), []],
];

for (const [name, value, expected] of cases)
  test(name, () => {
    const inputs = topo(graph("g", { inputs: [], outputs: [value] })).filter((n) => n.op.name === "input");
    const before = graph("g", { inputs, outputs: [value] });
    const after = rewrite(before, simplifications).graph;
    assert.equal(
      topo(after)
        .map((n) => n.op.name)
        .filter((op) => op !== "input" && op !== "constant"),
      expected,
    );
    const values = Object.fromEntries(
      inputs.map((n) => [n.name!, n.type.dtype === "i32" ? Int32Array.of(5) : noise(24)]),
    );
    const run = (g: typeof before) =>
      evaluate(g, { inputs: values, params: (p) => noise(p === "table" ? 48 : 8, 3) }).outputs[0]!;
    assert.is(maxDifference(run(after).data, run(before).data), 0);
  });

test.run();
