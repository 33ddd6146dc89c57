import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bind, evaluate, type Graph, parse, print, topo, verify } from "../../src/ir/index.ts";
import { noise } from "./examples/example.ts";
import { randomGraph } from "./random-graph.ts";

test("parse(print(g)) is g, for random graphs", () => {
  const ops = new Set<string>();
  fc.assert(
    fc.property(randomGraph(), (g) => {
      verify(g);
      for (const n of topo(g)) ops.add(n.op.name);
      const text = print(g);
      const again = parse(text);
      verify(again);
      assert.is(print(again), text);
      assert.is(topo(again).length, topo(g).length);
    }),
    { numRuns: 300, seed: 7 },
  );
  assert.ok(ops.size > 30, `the graphs should be varied, but only had ${[...ops].join(", ")}`);
});

test("a graph computes the same after it was printed and parsed", () => {
  const inputs = {
    tokens: [1, 0, 2],
    x: noise(12, 1),
    heads: noise(24, 2),
    position: [5],
    "h0.k_cache": noise(512, 3),
  };
  const run = (g: Graph) => {
    try {
      const { outputs, state } = evaluate(bind(g, { T: 3, C: 64 }), {
        inputs,
        params: (_, t) => noise((t.shape[0] as number) * 4, 4),
      });
      return [...outputs, ...state].map((o) => [...o.data]);
    } catch (e) {
      return (e as Error).message.replace(/^.*: /, "");
    }
  };
  fc.assert(
    fc.property(randomGraph(20), (g) => assert.equal(run(parse(print(g))), run(g))),
    { numRuns: 60, seed: 8 },
  );
});

const text = `graph @gpt2<T in 1..1024>(%tokens: i32[T], %x: f32[Tx4]) {
  %wte = param {name="wte.weight"} : f32[8x4]
  // a comment
  %e = gather(%wte, %tokens) {axis=0, dtype="f32"} : f32[Tx4]
  %sum = add(%e, %x) : f32[Tx4]
  return %sum
}
`;

test("values are located at their line", () => {
  const sum = parse(text, "a.ir").outputs[0]!;
  assert.equal(sum.loc, { file: "a.ir", line: 5, column: 3 });
  assert.is(print(parse(text)), text.replace("  // a comment\n", ""));
});

/** Replaces the first `from` in the text and gives the message of the error. */
function errorOf(from: string, to: string): string {
  assert.ok(text.includes(from), from);
  try {
    parse(text.replace(from, to), "a.ir");
  } catch (e) {
    return (e as Error).message;
  }
  throw new Error(`no error for ${to}`);
}

const errors: readonly [from: string, to: string, message: string][] = [
  ["gather(", "gahter(", "a.ir:4:8: there is no op gahter\n  try: gather"],
  ["gather(", "conv3d(", "a.ir:4:8: there is no op conv3d"],
  ["%e, %x", "%f, %x", "a.ir:5:14: %f is not defined above this line"],
  ["%e, %x", "%e, %tokns", "a.ir:5:18: %tokns is not defined above this line\n  try: %tokens"],
  ["{axis=0", "{axs=0", "a.ir:4:31: gather has no attribute axs\n  try: axis"],
  ["{axis=0", "{toString=0", "a.ir:4:31: gather has no attribute toString\n  try: axis, dtype"],
  ["{axis=0", "{axis=true", 'a.ir:4:36: expected a number but found "true"'],
  ["{axis=0", "{axis=0.5", "a.ir:4:3: gather %e: attribute axis must be an integer, not 0.5"],
  ["{axis=0,", "{axis=0", 'a.ir:4:38: expected "," or "}" but found "dtype"'],
  ["%sum = add(%e, %x) : f32[Tx4]", "%sum = add(%e, %x)", 'a.ir:6:3: expected ":" but found "return"'],
  [
    "%sum = add(%e, %x) : f32[Tx4]",
    "%sum = add(%e, %x) : f32[4xT]",
    "a.ir:5:24: %sum is written as f32[4xT] but add yields f32[Tx4]",
  ],
  ["%sum = add(%e, %x)", "%sum = add(%e)", "a.ir:5:3: add %sum: takes a, b but got 1 operands"],
  [
    "%sum = add(%e, %x)",
    "%sum = add(%e, %tokens)",
    "a.ir:5:3: add %sum: element types differ: a f32[Tx4], b i32[T]; cast one of them",
  ],
  ["%sum = ", "%e = ", "a.ir:5:3: %e is defined twice, first at a.ir:4:3"],
  ["f32[8x4]", "f33[8x4]", 'a.ir:2:38: expected a type such as f32[Tx768] but found "f33"'],
  [
    "f32[8x4]",
    "f32[8xQ]",
    "a.ir:2:41: there is no symbol Q\n  try: declare it in the header: graph @name<Q in 1..1024>(...)",
  ],
  ["graph @gpt2", "grph @gpt2", 'a.ir:1:1: expected "graph" but found "grph"'],
  ["return %sum\n}", "return %sum", 'a.ir:7:1: expected "}" but found the end of the text'],
  ["return %sum\n}", "return %sum\n}\n}", 'a.ir:8:1: expected the end of the text but found "}"'],
];
for (const [from, to, message] of errors)
  test(`error: ${to.replace(/\n/g, " ")}`, () => assert.is(errorOf(from, to), message));

test.run();
