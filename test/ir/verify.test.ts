import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  type Graph,
  graph,
  input,
  kvAppend,
  mul,
  type Node,
  param,
  problems,
  sym,
  verify,
} from "../../src/ir/index.ts";

const x = input("x", "f32", 2);
const y = input("y", "f32", 2);
const of = (inputs: Node[], outputs: Node[], state: Graph["state"] = []) => graph("g", { inputs, outputs, state });
/** A node as a broken pass might make it. */
const forged = (n: Node, change: Partial<Node>): Node => Object.freeze({ ...n, ...change });

const broken: readonly [what: string, g: Graph, messages: string[]][] = [
  ["no outputs", of([x], []), ["graph @g: has no outputs: nothing would be computed"]],
  ["an undeclared input", of([x], [add(x, y)]), ["input %y: is read but is not among the inputs of the graph"]],
  ["two inputs of one name", of([x, input("x", "f32", 3)], [x]), ["input %x: has the name of another input"]],
  [
    "a computed input",
    of([x, forged(add(x, x), { name: "s" })], [x]),
    ["add %s: is among the inputs of the graph but is computed by add"],
  ],
  [
    "a type that inference does not give",
    of([x], [forged(add(x, x), { name: "s", type: { dtype: "f32", shape: [3] } })]),
    ["add %s: is stored as f32[3] but its operands give f32[2]"],
  ],
  [
    "operands that do not fit",
    of([x], [forged(add(x, x), { inputs: [x, input("z", "f32", 3)] })]),
    ["add: shapes do not broadcast: a f32[2], b f32[3]", "input %z: is read but is not among the inputs of the graph"],
  ],
  ["an operand too few", of([x], [forged(add(x, x), { inputs: [x] })]), ["add: takes a, b but got 1 operands"]],
  [
    "two ranges of one symbol",
    of([input("a", "f32", sym("T", 1, 8)), input("b", "f32", sym("T", 1, 9))], [x]),
    [
      "input %b: symbol T is 1..9 here but 1..8 in input %a",
      "input %x: is read but is not among the inputs of the graph",
    ],
  ],
  [
    "a symbol that cannot be printed",
    of([input("a", "f32", sym("max", 1, 8))], [y]),
    [
      'input %a: symbol "max" must be letters other than x, digits and _',
      "input %y: is read but is not among the inputs of the graph",
    ],
  ],
  [
    "an empty range",
    of([input("a", "f32", sym("T", 9, 8))], []),
    ["graph @g: has no outputs: nothing would be computed", "input %a: symbol T has no values: 9..8"],
  ],
  [
    "a range that is not whole",
    of([input("a", "f32", sym("T", 1, 2.5))], [y]),
    ["input %a: symbol T has no values: 1..2.5", "input %y: is read but is not among the inputs of the graph"],
  ],
  [
    "one weight in two shapes",
    of([x], [param({ name: "w", dtype: "f32", shape: [2, 3] }), param({ name: "w", dtype: "f32", shape: [3, 2] })]),
    ["param: weight w is f32[3x2] here but f32[2x3] in param"],
  ],
  [
    "a name that cannot be printed",
    of([x], [forged(add(x, x), { name: "a b" })]),
    ['add %a b: its name "a b" has white space or punctuation'],
  ],
];
for (const [what, g, messages] of broken)
  test(what, () =>
    assert.equal(
      problems(g)
        .map((p) => p.message)
        .sort(),
      [...messages].sort(),
    ),
  );

test("a cycle", () => {
  const inputs: Node[] = [x, x];
  const node: Node = { ...add(x, x), name: "loop", inputs };
  inputs[1] = { ...mul(x, x), inputs: [node, x] };
  assert.equal(
    problems(of([x], [node])).map((p) => p.message),
    ["mul: depends on itself: the graph has a cycle"],
  );
});

test("state must append to an input", () => {
  const cache = input("cache", "f32", 4, 2);
  const position = input("position", "i32", 1);
  const slice = input("slice", "f32", 1, 2);
  const next = kvAppend(cache, slice, position, { axis: 0 });
  verify(of([cache, slice, position], [next], [{ cache, next }]));
  const messages = (g: Graph) => problems(g).map((p) => p.message);
  assert.equal(messages(of([cache], [cache], [{ cache, next: add(cache, cache) }])), [
    "add: updates cache %cache but is not a kvAppend to it",
  ]);
  const sum = add(cache, cache);
  const other = kvAppend(sum, slice, position, { axis: 0 });
  assert.equal(messages(of([cache, slice, position], [sum], [{ cache: sum, next: other }])), [
    "add: is the cache of a state pair but not an input of the graph",
  ]);
  const twice = [
    { cache, next },
    { cache, next },
  ];
  assert.equal(messages(of([cache, slice, position], [next], twice)), [
    "input %cache: is the cache of two state pairs",
  ]);
});

test("several problems are one error", () => {
  assert.throws(
    () => verify(of([], [add(x, y)])),
    (e: Error) => {
      assert.is(
        e.message,
        "graph @g: 2 problems:\n  input %x: is read but is not among the inputs of the graph\n  input %y: is read but is not among the inputs of the graph",
      );
      return true;
    },
  );
});

test.run();
