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
  dequantize,
  gather,
  input,
  iota,
  mul,
  param,
  quantize,
  quantizedLinear,
  quantizeWeight,
  rmsNorm,
  scalar,
  weightScales,
} from "../../../src/ir/ops/index.ts";
import type { Encoding } from "../../../src/ir/ops/support/quant.ts";
import { rewrite } from "../../../src/ir/rewrite.ts";
import { noise } from "../../ir/examples/example.ts";

const width = 32;
const gamma = constant({ dtype: "f32", shape: [width], values: noise(width, 3).map((v) => 2 + v) });
/** One channel is a thousand times the others. */
const divisors = Array.from({ length: width }, (_, c) => (c === 5 ? 1024 : 1));
const rowsOf = (rows: number): number[] => noise(rows * width, 9).map((v, i) => (i % width === 5 ? v + 3 : v));

type Row = ReturnType<typeof input>;

function outputs(
  rows: number,
  norm: (x: Row) => ReturnType<typeof rmsNorm>,
  units: Map<string, number>,
  encodings = new Map<string, Encoding>(),
) {
  const x = input("x", "f32", rows, width);
  const g = graph("norms", { inputs: [x], outputs: [renamed(norm(x), { name: "norm" })] });
  const { graph: made } = rewrite(g, normRules({ units, encodings, ranges: new KnownRanges() }));
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

test("one row balanced, the range of its gains known: no product more than the one with the row", () => {
  const d = constant({ dtype: "f32", shape: [width], values: divisors });
  const encodings = new Map([["norm.inverse", { scale: 2 ** -16, offset: 0 }]]);
  const norm = (x: Row) => rmsNorm(mul(x, d), gamma);
  const { made, before, after } = outputs(1, norm, new Map([["norm", 1]]), encodings);
  const names = topo(made).map((n) => n.name);
  assert.ok(names.includes("norm.gain"));
  assert.not.ok(names.includes("norm.normal"));
  const rounded = topo(made).find((n) => n.op === quantize)!;
  const largestGain = Math.max(...(gamma.attrs.values as number[]).map((g, c) => g * divisors[c]!));
  const { scale, offset } = rounded.attrs as unknown as Encoding;
  assert.ok(Math.abs((65535 + offset) * scale - largestGain * 65535 * 2 ** -16) < 2 * scale, "up to the shortest row");
  assert.ok(largest(before, after) < 1e-3 * largest(before, [0]));
});

test("gains beyond the range of f16 stay apart from one over the length", () => {
  const d = constant({ dtype: "f16", shape: [width], values: divisors });
  const encodings = new Map([["norm.inverse", { scale: 2 ** -16, offset: 0 }]]);
  const x = input("x", "f16", 1, width);
  const norm = renamed(rmsNorm(mul(x, d), cast(gamma, { dtype: "f16" })), { name: "norm" });
  const g = graph("norms", { inputs: [x], outputs: [norm] });
  // 1024 times 2 or 3 over 2^-6.
  const details = { units: new Map([["norm", 2 ** -6]]), encodings, ranges: new KnownRanges() };
  assert.ok(topo(rewrite(g, normRules(details)).graph).some((n) => n.name === "norm.normal"));
});

test("a product before a norm over pairs yields as much below zero as above", () => {
  const x = input("x", "f32", 1, 4);
  const w = constant({ dtype: "f32", shape: [width, 4], values: noise(4 * width, 5) });
  const scales = weightScales(w, { bits: 8, method: "max" });
  const q = quantize(x, { dtype: "u16", scale: 2 ** -14, offset: -32768 });
  const product = { dtype: "u16", scale: 2 ** -13, offset: -20000 } as const;
  const y = quantizedLinear(q, quantizeWeight(w, scales, { bits: 8 }), scales, product);
  const normed = rmsNorm(dequantize(y, { dtype: "f32" }), gamma);
  const g = graph("norms", { inputs: [x], outputs: [normed] });
  const { graph: made } = rewrite(g, normRules({ units: new Map(), encodings: new Map(), ranges: new KnownRanges() }));
  const around = topo(made).find((n) => n.op === quantizedLinear)!.attrs as unknown as Encoding;
  assert.is(around.offset, -32768);
  assert.ok(Math.abs(around.scale * 32767 - (65535 - 20000) * 2 ** -13) < 1e-6, "as far as it reached");
  const [before, after] = [g, made].map((of) => evaluate(of, { inputs: { x: noise(4, 8) } }).outputs[0]!.data);
  assert.ok(largest(before!, after!) < 1e-2);
});

test("heads of one token are normed as rows of one tile", () => {
  const x = input("x", "f32", 4, 1, width);
  const g = graph("norms", { inputs: [x], outputs: [rmsNorm(x, gamma)] });
  const { graph: made } = rewrite(g, normRules({ units: new Map(), encodings: new Map(), ranges: new KnownRanges() }));
  assert.equal(topo(made).find((n) => n.op === rmsNorm)!.type.shape, [4, width]);
  const [before, after] = [g, made].map((of) => evaluate(of, { inputs: { x: rowsOf(4) } }).outputs[0]!.data);
  assert.equal(before, after);
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
