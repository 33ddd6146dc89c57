import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  bind,
  countUses,
  graph,
  input,
  iota,
  mapGraph,
  mul,
  type Node,
  param,
  print,
  reshape,
  scope,
  sym,
  topo,
  withProvider,
} from "../../src/ir/index.ts";

const T = sym("T", 1, 128);
const x = input("x", "f32", T, 4);

test("operands come before users, each node once", () => {
  const a = add(x, x);
  const b = mul(a, x);
  const g = graph("g", { inputs: [x], outputs: [b, a] });
  assert.equal(topo(g), [x, a, b]);
  assert.equal([countUses(g).get(x), countUses(g).get(a), countUses(g).get(b)], [3, 2, 1]);
});

test("depth is not limited by the stack", () => {
  let deep: Node = x;
  for (let i = 0; i < 50_000; i++) deep = add(deep, x);
  const g = graph("g", { inputs: [x], outputs: [deep] });
  assert.is(topo(g).length, 50_001);
  assert.is(
    mapGraph(g, (n) => n),
    g,
  );
});

test("binding infers every type again and keeps names", () => {
  const y = reshape(x, { shape: [1, T, 4] });
  const g = bind(graph("g", { inputs: [x], outputs: [y, iota({ length: T })] }), { T: 3 }, "prefill");
  assert.is(
    print(g),
    `graph @prefill(%x: f32[3x4]) {
  %reshape = reshape(%x) {shape=[1,3,4]} : f32[1x3x4]
  %iota = iota {length=3} : i32[3]
  return %reshape, %iota
}
`,
  );
});

test("a binding outside a symbol's range is an error", () => {
  assert.throws(
    () => bind(graph("g", { inputs: [x], outputs: [x] }), { T: 129 }),
    (e: Error) => e.message === "input %x: T = 129 is outside 1..128",
  );
});

test("names come from the provider, prefixed by scopes; clashes get a number in the text", () => {
  const build = () => add(x, param({ name: "w", dtype: "f32", shape: [4] }));
  const [a, b] = withProvider(
    (op) => ({ name: op === "add" ? "sum" : "w", loc: { file: "m.ts", line: 1, column: 2 } }),
    () => [scope("h0", build), scope("h0", build)] as const,
  );
  assert.is(a.name, "h0.sum");
  assert.equal(a.loc, { file: "m.ts", line: 1, column: 2 });
  const g = graph("g", { inputs: [x], outputs: [a, b] });
  assert.match(print(g), "return %h0.sum, %h0.sum.1");
});

test("nodes are frozen", () => {
  const sizes = [4, T];
  const y = reshape(x, { shape: sizes });
  sizes.reverse();
  assert.is(y.attrs.shape![0], 4, "a node does not share its caller's lists");
  assert.throws(() => {
    (add(x, x) as { name: string }).name = "other";
  });
});

test.run();
