import { test } from "uvu";
import * as assert from "uvu/assert";
import { onnxSupport } from "../../src/codegen/onnx/support.ts";
import { qnnReference, qnnVendor } from "../../src/codegen/qnn/index.ts";
import { qtiSupport } from "../../src/codegen/qnn/qti.ts";
import { referenceSupport } from "../../src/codegen/qnn/reference.ts";
import { WeightTable } from "../../src/codegen/weights.ts";
import {
  allOps,
  bind,
  cast,
  erf,
  gelu,
  graph,
  input,
  kvAppend,
  linear,
  type Node,
  param,
  topo,
} from "../../src/ir/index.ts";
import { programs } from "../support/programs.ts";
import { compiled, inputsFor, maxDifference, reference } from "./programs.ts";

const reason = (run: () => unknown): string => {
  try {
    run();
  } catch (e) {
    return (e as Error).message;
  }
  return "nothing was thrown";
};

test("every op is in every table", () => {
  for (const table of [qtiSupport, referenceSupport, onnxSupport])
    assert.equal(
      Object.keys(table).sort(),
      allOps()
        .map((op) => op.name)
        .sort(),
    );
});

for (const name of programs)
  test(`${name} keeps its value when it is made legal`, async () => {
    const { module } = await compiled(name);
    for (const entry of module.entries.slice(0, 2)) {
      const bound = bind(module.graph, entry.bind, entry.name);
      const inputs = inputsFor(bound, Math.min(entry.bind.T!, 63), entry.role === "decode" ? 40 : 0);
      const expected = reference(bound, inputs);
      for (const backend of [qnnReference, qnnVendor]) {
        const legal = backend.legalize(bound).graph;
        assert.ok(maxDifference(reference(legal, inputs), expected) < 1e-5, `${entry.name} for ${backend.name}`);
      }
    }
  });

test("the reference backend keeps fused ops, Qualcomm's get their own", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const bound = bind(module.graph, { T: 1, C: 64 }, "decode-64");
  const opsOf = (g: typeof bound) => new Set(topo(g).map((n) => n.op.name));
  const ours = opsOf(qnnReference.legalize(bound).graph);
  for (const op of ["flashCachedAttention", "kvAppend", "mlp", "linearAdd", "normalize"]) assert.ok(ours.has(op), op);
  const theirs = opsOf(qnnVendor.legalize(bound).graph);
  for (const op of ["flashCachedAttention", "kvAppend", "mlp", "geluTanh"]) assert.not(theirs.has(op), op);
  for (const op of ["linear", "layerNorm", "softmax", "matmul"]) assert.ok(theirs.has(op), op);
});

test("one row needs no transposes", async () => {
  const { module } = await compiled("gpt2-fa2-kv");
  const { graph: g } = qnnReference.legalize(bind(module.graph, { T: 1, C: 64 }, "decode-64"));
  const weights = (n: { inputs: readonly unknown[] }) => n.inputs.length > 0;
  const moved = topo(g).filter((n) => n.op.name === "transpose" && weights(n) && !isWeight(n));
  assert.equal(
    moved.map((n) => n.name),
    [],
  );
});
const isWeight = (n: { op: { name: string }; inputs: readonly { op: { name: string } }[] }): boolean =>
  n.inputs.every((i) => i.op.name === "param" || i.op.name === "slice");

test("a composite without a lowering is expanded, one that has it is kept", () => {
  const x = input("x", "f32", 2, 8);
  const g = graph("g", { inputs: [x], outputs: [gelu(x)] });
  assert.equal(
    topo(qnnVendor.legalize(g).graph).map((n) => n.op.name),
    ["input", "gelu"],
  );
});

test("Qualcomm's linear gets weight and bias in the type of the activations", () => {
  const half = (name: string, ...shape: number[]) => cast(param({ name, dtype: "f32", shape }), { dtype: "f16" });
  const x = input("x", "f32", 2, 8);
  const legal = (w: Node, b: Node) =>
    qnnVendor.legalize(graph("g", { inputs: [x], outputs: [linear(x, w, b)] })).graph.outputs[0]!;
  const f32 = param({ name: "w", dtype: "f32", shape: [4, 8] });
  for (const y of [legal(half("w", 4, 8), half("b", 4)), legal(f32, half("b", 4))])
    assert.equal(
      y.inputs.map((i) => i.type.dtype),
      ["f32", "f32", "f32"],
    );
});

test("an op that a target refuses: op, reason, types and what to try", () => {
  const x = input("x", "f32", 2, 8);
  const g = graph("g", { inputs: [x], outputs: [erf(x)] });
  assert.is(
    reason(() => qnnVendor.legalize(g)),
    "erf: QNN (qti.aisw) cannot run it: QNN has no error function on its own (f32[2x8] -> f32[2x8])\n" +
      "  try: use gelu(x), which QNN has as one op, or geluTanh(x)",
  );
});

test("a cache that is read by no attention has no host form", () => {
  const cache = input("cache", "f32", 4, 16);
  const slice = input("slice", "f32", 1, 16);
  const position = input("position", "i32", 1);
  const next = kvAppend(cache, slice, position, { axis: 0 });
  const g = graph("g", { inputs: [cache, slice, position], outputs: [gelu(next)], state: [{ cache, next }] });
  assert.match(
    reason(() => qnnVendor.legalize(g)),
    "qti.aisw has no op that writes into a cache",
  );
});

test("a size that nobody bound is named", async () => {
  const { module } = await compiled("gpt2-baseline");
  const plan = () => qnnReference.plan(qnnReference.legalize(module.graph), new WeightTable());
  assert.match(reason(plan), "size T is not bound");
});

test.run();
