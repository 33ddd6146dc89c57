/** Norms by the root mean square in the forms that HTP gets in fixed point: the same numbers, computed with LayerNorm. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { KnownRanges } from "../../../src/codegen/qnn/fixed-operands.ts";
import { normRules } from "../../../src/codegen/qnn/norm-rules.ts";
import { evaluate } from "../../../src/ir/evaluate/evaluate.ts";
import { graph, topo } from "../../../src/ir/graph.ts";
import { renamed } from "../../../src/ir/node.ts";
import {
  add,
  cast,
  constant,
  cos,
  gather,
  input,
  iota,
  mul,
  param,
  rmsNorm,
  scalar,
} from "../../../src/ir/ops/index.ts";
import { rewrite } from "../../../src/ir/rewrite.ts";
import { noise } from "../../ir/examples/example.ts";

const width = 32;
const gamma = constant({ dtype: "f32", shape: [width], values: noise(width, 3).map((v) => 2 + v) });
/** One channel is a thousand times the others. */
const divisors = Array.from({ length: width }, (_, c) => (c === 5 ? 1024 : 1));
const rowsOf = (rows: number): number[] => noise(rows * width, 9).map((v, i) => (i % width === 5 ? v + 3 : v));

function outputs(
  rows: number,
  norm: (x: ReturnType<typeof input>) => ReturnType<typeof rmsNorm>,
  units: Map<string, number>,
) {
  const x = input("x", "f32", rows, width);
  const g = graph("norms", { inputs: [x], outputs: [renamed(norm(x), { name: "norm" })] });
  const { graph: made } = rewrite(g, normRules(units));
  const [before, after] = [g, made].map((each) => evaluate(each, { inputs: { x: rowsOf(rows) } }).outputs[0]!.data);
  return { made, before: before!, after: after! };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((m, v, i) => Math.max(m, Math.abs(v - (b[i] ?? 0))), 0);

test("one row: LayerNorm over the row and its negative", () => {
  const { made, before, after } = outputs(1, (x) => rmsNorm(x, gamma), new Map());
  assert.not.ok(topo(made).some((n) => n.op === rmsNorm));
  assert.ok(largest(before, after) < 1e-5);
});

test("several rows keep RmsNorm", () => {
  const { made } = outputs(4, (x) => rmsNorm(x, gamma), new Map());
  assert.ok(topo(made).some((n) => n.op === rmsNorm));
});

for (const rows of [1, 4])
  test(`${rows} balanced: the length of wide rows from a constant beside them, the row in its own steps`, () => {
    const d = constant({ dtype: "f32", shape: [width], values: divisors });
    const { made, before, after } = outputs(rows, (x) => rmsNorm(mul(x, d), gamma), new Map([["norm", 1]]));
    assert.not.ok(topo(made).some((n) => n.op === rmsNorm));
    const names = topo(made).map((n) => n.name);
    for (const part of ["wide.x", "wide", "inverse", "normal"]) assert.ok(names.includes(`norm.${part}`), part);
    // The constant lengthens rows of about 500 by a millionth.
    assert.ok(largest(before, after) < 1e-4 * largest(before, [0]));
  });

test("what is known of operands: constants, angles, weights that can be read", () => {
  const angles = cos(mul(cast(iota({ length: 70_000 }), { dtype: "f32" }), scalar(0.1)));
  const weight = add(param({ name: "w", dtype: "f32", shape: [width] }), scalar(1));
  const read = () => Float32Array.from({ length: width }, (_, i) => i / 2);
  const known = new KnownRanges(read);
  assert.equal(known.of(gather(angles, iota({ length: 2 }))), { min: -1, max: 1 });
  assert.equal(known.of(weight), { min: 1, max: 16.5 });
  assert.equal(known.of(constant({ dtype: "f32", shape: [2], values: [-3, 4] })), { min: -3, max: 4 });
  assert.is(new KnownRanges().of(weight), undefined, "nobody reads weights");
  assert.is(
    known.of(param({ name: "table", dtype: "f32", shape: [70_000] })),
    undefined,
    "too large to be looked through",
  );
});

test.run();
