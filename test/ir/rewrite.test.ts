import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  concat,
  exp,
  graph,
  type HeddleError,
  input,
  linear,
  mergeCommon,
  mul,
  type Node,
  print,
  renamed,
  rewrite,
  rule,
  scalar,
  skip,
  softmax,
  tanh,
  topo,
  transpose,
  v,
} from "../../src/ir/index.ts";

const x = input("x", "f32", 2, 3);
const of = (...outputs: Node[]) => graph("g", { inputs: [x], outputs });
const body = (g: ReturnType<typeof of>) =>
  print(g)
    .split("\n")
    .slice(1, -3)
    .map((line) => line.trim());

// transpose(transpose(x, p), q) = x where q undoes p.
const undo = rule(
  "undo",
  transpose.pat(transpose.pat(v("x")).as("inner")).as("outer"),
  ({ x: source, inner, outer }, uses) => {
    if (uses.count(inner) > 1) return skip("the inner transpose is used elsewhere");
    return outer.attrs.perm.every((p, i) => inner.attrs.perm[p] === i) ? source : skip("they do not cancel");
  },
);
const flip = (n: Node) => transpose(n, { perm: [1, 0] });

test("rules apply until nothing matches, inside out", () => {
  const { graph: g, hits, misses } = rewrite(of(exp(flip(flip(flip(flip(x)))))), [undo]);
  assert.equal(body(g), ["%exp = exp(%x) : f32[2x3]"]);
  assert.is(hits.get("undo"), 2);
  assert.equal(misses, []);
});

test("a rule that declines says why, for the node and the rule", () => {
  const inner = renamed(flip(x), { name: "kept" });
  const { graph: g, misses } = rewrite(of(flip(inner), inner), [undo]);
  assert.is(topo(g).length, 3);
  assert.equal(
    misses.map(({ rule: name, node, reason }) => [name, node.op.name, reason]),
    [["undo", "transpose", "the inner transpose is used elsewhere"]],
  );
});

test("the replacement takes the name and place of what it replaces", () => {
  const loc = { file: "m.ts", line: 7, column: 1 };
  const sum = renamed(add(x, x), { name: "h3.sum", loc });
  const twice = rule("twice", add.pat(v("a"), v("a")), ({ a }) => mul(a, scalar(2)));
  const [out] = rewrite(of(tanh(sum)), [twice]).graph.outputs;
  assert.is(out!.inputs[0]!.name, "h3.sum");
  assert.equal(out!.inputs[0]!.loc, loc);
  assert.equal(out!.inputs[0]!.inputs[1]!.loc, loc, "what the rule made on the way has the place too");
});

test("what was replaced in the same sweep keeps its users", () => {
  // exp(x) becomes tanh(x), and tanh is fused into a product only where nobody else reads it.
  const other = rule("other", exp.pat(v("a")), ({ a }) => tanh(a));
  const fuse = rule("fuse", mul.pat(tanh.pat(v("a")).as("t"), v("b")), ({ a, b, t }, uses) =>
    uses.count(t) > 1 || uses.of(t).length > 1 ? skip("tanh is used elsewhere") : add(a, b),
  );
  const e = exp(x);
  const shared = rewrite(of(mul(e, x), softmax(e)), [other, fuse]);
  assert.is(shared.hits.get("fuse"), 0);
  assert.equal(
    shared.misses.map((m) => m.reason),
    ["tanh is used elsewhere"],
  );
  assert.is(rewrite(of(mul(exp(x), x)), [other, fuse]).hits.get("fuse"), 1);
});

test("the same capture twice must be the same value", () => {
  const y = exp(x);
  const twice = rule("twice", add.pat(v("a"), v("a")), ({ a }) => mul(a, scalar(2)));
  assert.is(rewrite(of(add(x, y)), [twice]).hits.get("twice"), 0);
  assert.is(rewrite(of(add(y, y)), [twice]).hits.get("twice"), 1);
});

test("an optional operand that a pattern leaves out must be absent; lists match by length", () => {
  const w = input("w", "f32", 3, 3);
  const b = input("b", "f32", 3);
  const unbiased = rule("unbiased", linear.pat(v("x"), v("w")), ({ x: rows }) => rows);
  assert.is(rewrite(of(linear(x, w, b)), [unbiased]).hits.get("unbiased"), 0);
  assert.is(rewrite(of(linear(x, w)), [unbiased]).hits.get("unbiased"), 1);
  const single = rule("single", concat.pat(v("only")), ({ only }) => only);
  assert.is(rewrite(of(concat([x], { axis: 0 }), concat([x, x], { axis: 0 })), [single]).hits.get("single"), 1);
});

test("equal values are merged; the first keeps its name", () => {
  const a = renamed(exp(x), { name: "first" });
  const b = renamed(exp(x), { name: "second" });
  const low = (value: number) => mul(x, scalar(value));
  assert.equal(body(mergeCommon(of(add(a, b)))), [
    "%first = exp(%x) : f32[2x3]",
    "%add = add(%first, %first) : f32[2x3]",
  ]);
  const infinities = mergeCommon(of(low(Number.POSITIVE_INFINITY), low(Number.NEGATIVE_INFINITY), low(0), low(-0)));
  assert.is(new Set(infinities.outputs).size, 4, "numbers that JSON cannot tell apart stay apart");
  const g = of(add(exp(x), x));
  assert.is(mergeCommon(g), g);
});

const messageOf = (run: () => unknown): string => {
  try {
    run();
  } catch (e) {
    return (e as HeddleError).message;
  }
  throw new Error("nothing was thrown");
};

test("a rule may not change a type, throw, or run forever", () => {
  const y = renamed(softmax(x), { name: "y", loc: { file: "m.ts", line: 3, column: 5 } });
  const widen = rule("widen", softmax.pat(v("x")), ({ x: rows }) => flip(rows));
  assert.is(
    messageOf(() => rewrite(of(y), [widen])),
    "m.ts:3:5: softmax %y: rule widen would change its type from f32[2x3] to f32[3x2]; a rewrite keeps the type",
  );
  const swap = rule("swap", add.pat(v("a"), v("b")), ({ a, b }) => add(b, a));
  assert.is(
    messageOf(() => rewrite(of(add(x, exp(x))), [swap])),
    "rules swap still change the graph after 100 sweeps",
  );
  const broken = rule("broken", softmax.pat(v("x")), ({ x: rows }) => add(rows, input("odd", "f32", 7)));
  assert.is(
    messageOf(() => rewrite(of(y), [broken])),
    "m.ts:3:5: softmax %y: rule broken failed: m.ts:3:5: add %y.add: shapes do not broadcast: a f32[2x3], b f32[7]",
  );
});

test.run();
