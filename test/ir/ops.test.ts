/** Every op that exists is documented, does what its examples say, and expands to what it infers. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { allOps, graph, type Node, nodeCosts, parse, print, showType, topoFrom, verify } from "../../src/ir/index.ts";
import { assertNear, compute } from "./examples/example.ts";
import { examples } from "./examples/index.ts";

/** A node as a graph of its own, with the inputs that it reads. */
const alone = (n: Node) =>
  graph(n.op.name, { inputs: topoFrom([n]).filter((x) => x.op.name === "input"), outputs: [n] });

for (const op of allOps()) {
  const cases = examples[op.name];

  test(`${op.name} has documentation and an example`, () => {
    assert.ok(op.doc.length > 15 && op.doc.endsWith("."), `the doc of ${op.name} must be a sentence: ${op.doc}`);
    assert.ok(cases?.length, `${op.name} has no example in test/ir/examples`);
  });

  for (const example of cases ?? [])
    test(`${op.name}${example.case ? `: ${example.case}` : ""}`, () => {
      const node = example.build();
      assertNear(compute(node, example.inputs), example.expected, 1e-12, op.name);
      assertNear(compute(node, example.inputs, "f32"), example.expected, 2e-6, `${op.name} in f32`);
      if (op.composite) assert.is(showType(op.expand(node).type), showType(node.type));
      const g = alone(node);
      verify(g);
      assert.is(print(parse(print(g))), print(g));
      for (const [n, cost] of nodeCosts(g)) assert.ok(cost.flops >= 0 && cost.activationBytes >= 0, n.op.name);
    });
}

test("no example is of an op that does not exist", () => {
  const names = allOps().map((o) => o.name);
  for (const name of Object.keys(examples)) assert.ok(names.includes(name), name);
});

test.run();
