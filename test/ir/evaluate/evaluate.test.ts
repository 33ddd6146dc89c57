import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  bind,
  evaluate,
  evaluateNodes,
  gather,
  geluTanh,
  graph,
  input,
  iota,
  kvAppend,
  linear,
  mul,
  type Node,
  param,
  reshape,
  sym,
} from "../../../src/ir/index.ts";

const x = input("x", "f32", 2);
const y = input("y", "f32", 2);

test("outputs and state come in the order of the graph", () => {
  const cache = input("cache", "f32", 3);
  const position = input("position", "i32", 1);
  const slice = reshape(gather(x, position), { shape: [1] });
  const g = graph("g", {
    inputs: [x, cache, position],
    outputs: [mul(x, x), x],
    state: [{ cache, next: kvAppend(cache, slice, position, { axis: 0 }) }],
  });
  const { outputs, state } = evaluate(g, { inputs: { x: [3, 4], cache: [7, 8, 9], position: Int32Array.of(1) } });
  assert.equal(
    outputs.map((o) => [...o.data]),
    [
      [9, 16],
      [3, 4],
    ],
  );
  assert.equal([...state[0]!.data], [7, 4, 9]);
});

test("every node is seen once, operands first, and not the inside of composites", () => {
  const seen: string[] = [];
  const sum = add(geluTanh(x), y);
  evaluateNodes([mul(sum, sum)], { inputs: { x: [1, 2], y: [3, 4] }, observe: (n) => seen.push(n.op.name) });
  assert.equal(seen, ["input", "geluTanh", "input", "add", "mul"]);
});

test("what is known is not computed, nor what only it needs", () => {
  const known = add(x, y);
  const seen: Node[] = [];
  const type = { type: known.type, shape: [2], data: Float32Array.of(10, 20) };
  const [value] = evaluateNodes([mul(known, known)], { known: new Map([[known, type]]), observe: (n) => seen.push(n) });
  assert.equal([...value!.data], [100, 400]);
  assert.is(seen.length, 1);
});

test("a value is dropped after its last use", () => {
  const w = param({ name: "w", dtype: "f32", shape: [1024, 1024] });
  let chain: Node = w;
  const one = iota({ length: 1 });
  for (let i = 0; i < 200; i++) chain = add(chain, chain);
  const before = process.memoryUsage().arrayBuffers;
  let peak = 0;
  evaluateNodes([chain, one], {
    params: (_, t) => new Float32Array(t.shape.reduce<number>((n, d) => n * (d as number), 1)),
    observe: () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    },
  });
  // 200 values of 4 MiB; garbage lingers, but not all of them.
  assert.ok(peak < 600 * 2 ** 20, `${peak} bytes`);
});

test("f64 keeps what f32 rounds", () => {
  const third = mul(x, y);
  const inputs = { x: [1 / 3, 1], y: [1 / 3, 1] };
  assert.is(evaluateNodes([third], { inputs, precision: "f64" })[0]!.data[0], 1 / 9);
  assert.is(evaluateNodes([third], { inputs })[0]!.data[0], Math.fround(Math.fround(1 / 3) ** 2));
});

test("weights are asked for by name and not copied", () => {
  const values = Float32Array.of(1, 2, 3, 4);
  const w = param({ name: "h.0.w", dtype: "f32", shape: [2, 2] });
  const [value, product] = evaluateNodes([w, linear(x, w)], {
    inputs: { x: [1, 1] },
    params: (name) => (name === "h.0.w" ? values : []),
  });
  assert.is(value!.data, values);
  assert.equal([...product!.data], [3, 7]);
});

const fails = (run: () => unknown, message: string) =>
  assert.throws(run, (e: Error) => {
    assert.is(e.message, message);
    return true;
  });

test("errors say what is missing and where", () => {
  const g = graph("g", { inputs: [x, y], outputs: [add(x, y)] });
  fails(() => evaluate(g, { inputs: { x: [1, 2] } }), "input %y: no value was given for y (f32[2])");
  fails(
    () => evaluate(g, { inputs: { x: [1, 2], y: [1] } }),
    "input %y: y is f32[2], which has 2 elements, but 1 were given",
  );
  fails(
    () => evaluate(g, { inputs: { tokns: [1], x: [1, 2], y: [1, 2] } }),
    "graph @g: there is no input tokns; the inputs are x, y",
  );
  const bad = gather(param({ name: "wte", dtype: "f32", shape: [4, 2] }), input("tokens", "i32", 1));
  fails(
    () => evaluateNodes([bad], { inputs: { tokens: [4] }, params: () => new Float32Array(8) }),
    "gather: index 4 is outside 0..3, the rows of f32[4x2]",
  );
});

test("a graph must be bound first", () => {
  const t = input("t", "f32", sym("T", 1, 8));
  const g = graph("g", { inputs: [t], outputs: [mul(t, t)] });
  fails(
    () => evaluate(g, { inputs: { t: [1] } }),
    "input %t: size T is not bound: bind the graph (bind(graph, { T: 128 })) before this step",
  );
  assert.equal([...evaluate(bind(g, { T: 3 }), { inputs: { t: [1, 2, 3] } }).outputs[0]!.data], [1, 4, 9]);
});

test.run();
