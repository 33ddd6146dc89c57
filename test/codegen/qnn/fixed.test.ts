/** Graphs in fixed point for HTP: what they compute, by the interpreter; which ops become one; what has no range. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { lowerProgram } from "../../../src/cli/support/lower-program.ts";
import { toFixed } from "../../../src/codegen/qnn/fixed.ts";
import { fuseFixed } from "../../../src/codegen/qnn/fixed-ops.ts";
import { type Encodings, qnnVendorFixed } from "../../../src/codegen/qnn/index.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import {
  add,
  bind,
  cast,
  concat,
  constant,
  elements,
  evaluate,
  type Graph,
  graph,
  input,
  matmul,
  mul,
  type Node,
  param,
  renamed,
  reshape,
  scalar,
  softmax,
  topo,
} from "../../../src/ir/index.ts";
import { gather, gelu, quantize, reduceSum } from "../../../src/ir/ops/index.ts";
import { goldenFolder } from "../../golden.ts";
import { sqnr } from "../../support/held-out.ts";
import { maxDifference, noise, params } from "../programs.ts";

const encoding = (low: number, high: number) => {
  const scale = Math.fround((high - low) / 65535);
  return { scale, offset: Math.round(low / scale) };
};
const named = (name: string, n: Node): Node => renamed(n, { name });
const f16 = (name: string, ...shape: number[]) => input(name, "f16", ...shape);
const outputOf = (g: Graph, inputs: Record<string, Float32Array | Int32Array>) =>
  evaluate(g, { inputs, params }).outputs[0]!.data;

/** A graph of one output whose inputs are floats that are encoded first. */
function fixed(build: (x: Node, y: Node) => Node, encodings: Encodings): { plain: Graph; legal: Graph } {
  const [x, y] = [f16("x", 2, 8), f16("y", 2, 8)];
  const given = (n: Node) => named(`${n.name}.in`, mul(n, scalar(1, "f16")));
  const plain = graph("g", { inputs: [x, y], outputs: [build(given(x), given(y))] });
  return { plain, legal: toFixed(plain, encodings) };
}

const steps = encoding(-2, 2);
const wide = encoding(-8, 8);
const inputs = { x: noise(16, 1), y: noise(16, 2) };
const ofOps = (g: Graph) => topo(g).map((n) => n.op.name);

for (const [what, build, allowed] of [
  ["sums", (x, y) => named("z", add(x, y)), 3],
  ["products", (x, y) => named("z", mul(x, y)), 4],
  ["products without a name, whose range follows from their operands", (x, y) => mul(x, y), 5],
  ["sums of products of elements", (x, y) => named("z", reduceSum(mul(x, y), { axis: 1, keepDims: true })), 12],
  ["Gelu in other tiles", (x) => named("z", reshape(gelu(reshape(x, { shape: [8, 2] })), { shape: [2, 8] })), 3],
  ["joined values of equal encoding", (x, y) => named("z", concat([x, y], { axis: 1 })), 2],
] as [string, (x: Node, y: Node) => Node, number][])
  test(`${what} are off by a few steps at most`, () => {
    const encodings = new Map(["x.in", "y.in", "z"].map((name) => [name, name === "z" ? wide : steps]));
    const { plain, legal } = fixed(build, encodings);
    const expected = outputOf(plain, inputs);
    assert.ok(maxDifference(outputOf(legal, inputs), expected) < allowed * wide.scale + 2 ** -10);
    const { of } = fuseFixed(legal);
    const joined = topo(legal).some((n) => n.op === concat && n.type.dtype === "u16");
    assert.ok(of.size > 0 || joined, "at least one op is on integers");
  });

test("integers of weights are made of what these were before they became halves", () => {
  const w = named("w", param({ name: "w", dtype: "f32", shape: [8] }));
  const encodings = new Map(["x.in", "z", "w"].map((name) => [name, steps]));
  const { legal } = fixed((x) => named("z", mul(x, cast(w, { dtype: "f16" }))), encodings);
  const encoded = topo(legal).filter((n) => n.op === quantize && n.inputs[0]!.op === param);
  assert.equal(
    encoded.map((n) => n.inputs[0]!.type.dtype),
    ["f32"],
  );
});

test("joined values of different ranges have room for both", () => {
  const encodings = new Map([
    ["x.in", encoding(-1, 1)],
    ["y.in", encoding(-4, 0)],
  ]);
  const { plain, legal } = fixed((x, y) => concat([x, y], { axis: 1 }), encodings);
  const given = { x: inputs.x, y: inputs.y.map((v) => 2 * v - 2) };
  assert.ok(maxDifference(outputOf(legal, given), outputOf(plain, given)) < 2e-3);
});

test("values that others have room for are joined in their steps", () => {
  const encodings = new Map([["x.in", encoding(-1, 3)]]);
  const minus = constant({ dtype: "f16", shape: [8], values: Array(8).fill(-1) });
  const { plain, legal } = fixed((x) => concat([x, mul(x, minus)], { axis: 1 }), encodings);
  const joined = topo(legal).find((n) => n.op === concat)!;
  assert.is(joined.type.quant!.offsets[0], -32768, "those of the negatives, which reach as far on both sides");
  assert.ok(maxDifference(outputOf(legal, inputs), outputOf(plain, inputs)) < 1e-3);
});

test("probabilities are in steps of 2^-16, and a mean of values lies among them", () => {
  const v = input("v", "f16", 8, 4);
  const x = f16("x", 2, 8);
  const scores = named("a", mul(x, scalar(1, "f16")));
  const out = matmul(softmax(scores), named("v.in", mul(v, scalar(1, "f16"))));
  const legal = toFixed(
    graph("g", { inputs: [x, v], outputs: [out] }),
    new Map([
      ["a", steps],
      ["v.in", encoding(-1, 3)],
    ]),
  );
  const integers = topo(legal).filter((n) => n.op === quantize);
  const probabilities = integers.find((n) => n.inputs[0]!.op === softmax)!;
  assert.equal(probabilities.type.quant, { scales: [2 ** -16], offsets: [0] });
  const mean = integers.find((n) => n.inputs[0]!.op === matmul)!.type.quant!;
  assert.is(Math.round(mean.scales[0]! * mean.offsets[0]!), -1);
  assert.is(Math.round(mean.scales[0]! * (65535 + mean.offsets[0]!)), 3);
});

test("what is picked from a table is stored in the encoding of the table", () => {
  const table = param.build([], { name: "wte", dtype: "f16", shape: [4, 8] }, { name: "wte", loc: undefined });
  const rows = input("rows", "i32", 1);
  const legal = toFixed(
    graph("g", { inputs: [rows], outputs: [named("z", add(gather(table, rows, { dtype: "f16" }), scalar(0, "f16")))] }),
    new Map([
      ["wte", steps],
      ["z", steps],
    ]),
  );
  const stored = topo(legal).find((n) => n.op === quantize && n.inputs[0] === table)!;
  assert.equal(stored.type.quant, { scales: [steps.scale], offsets: [steps.offset] });
});

test("without ranges everything stays in floats", () => {
  const { plain, legal } = fixed((x, y) => named("z", add(x, y)), new Map());
  assert.equal(ofOps(legal), ofOps(plain));
  assert.is(fuseFixed(legal).of.size, 0);
});

test("floats that somebody else wants are not fused away", () => {
  const { legal } = fixed((x, y) => named("z", add(x, y)), new Map(["x.in", "y.in", "z"].map((name) => [name, steps])));
  const sum = topo(legal).find((n) => n.op === quantize && n.inputs[0]!.op === add)!;
  const seen = graph("g", { inputs: legal.inputs, outputs: [...legal.outputs, sum.inputs[0]!] });
  assert.ok(fuseFixed(legal).of.has(sum));
  assert.not.ok(fuseFixed(seen).of.has(sum));
});

/** The tiny model, quantised on random tokens. */
const lowered = <T>(use: (g: Graph, encodings: Encodings) => T, entry = "decode-64"): Promise<T> =>
  lowerProgram(
    "graphs/gpt2-fa2-kv-fused.ts",
    { config: "tiny", precision: "w8a16", target: "x-elite" },
    async ({ module, quantization }) => {
      const { bind: sizes, name } = module.entries.find((e) => e.name === entry)!;
      return use(bind(module.graph, sizes, name), quantization!.encodings);
    },
  );

test("a step of the tiny model with noise in its caches is the program's, and integers from end to end", () =>
  lowered((g, encodings) => {
    const backend = qnnVendorFixed(encodings);
    const legal = backend.legalize(g);
    const plan = backend.plan(legal, new WeightTable());
    const kinds = new Set(plan.tensors.filter((t) => t.type !== "STATIC").map((t) => t.dataType));
    assert.equal([...kinds].sort(), ["INT_32", "UFIXED_POINT_16", "UFIXED_POINT_8"]);
    assert.is(plan.nodes.filter((n) => n.type === "Quantize").length, 0);
    assert.is(plan.nodes.filter((n) => n.type === "Convert").length, 4, "two slices of two layers");
    for (const position of [0, 5, 63]) {
      const values = (n: Node, shift: number) =>
        noise(elements(n.type.shape), 3).map((v) => Math.round(60 * v) + shift);
      const inputs = (of: Graph, shift: number) =>
        Object.fromEntries(
          of.inputs.map((n) => [
            n.name!,
            n.type.dtype === "i32"
              ? Int32Array.of(n.name === "tokens" ? 17 : n.name === "last" ? 0 : position)
              : values(n, shift),
          ]),
        );
      // There caches of i8 are u8 with its zero in the middle.
      const { scales, offsets } = legal.graph.outputs[0]!.type.quant!;
      const integers = outputOf(legal.graph, inputs(legal.graph, 128));
      const logits = Float32Array.from(integers, (q) => (q + offsets[0]!) * scales[0]!);
      const ratio = sqnr(outputOf(g, inputs(g, 0)), logits);
      assert.ok(ratio > 35, `at ${position}: ${ratio.toFixed(1)} dB`);
    }
  }));

test("the plan of a step in fixed point", () =>
  lowered((g) => {
    // Ranges that are the same on every machine.
    const all = encoding(-8, 8);
    const backend = qnnVendorFixed({ get: () => all } as unknown as Encodings);
    const plan = backend.plan(backend.legalize(g), new WeightTable());
    goldenFolder("qnn/gpt2-fa2-kv-fused-fixed", ".plan.txt", { "decode-64.plan.txt": backend.show(plan) });
  }));

test.run();
