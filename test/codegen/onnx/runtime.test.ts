/** Exported models in ONNX Runtime against the reference interpreter. */

import * as ort from "onnxruntime-node";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cachesKey, decodeOnnx, encodeOnnx } from "../../../src/codegen/onnx/index.ts";
import { bind, evaluate, type Graph, staticShape } from "../../../src/ir/index.ts";
import { f16Weights, runPasses } from "../../../src/passes/index.ts";
import { programs } from "../../support/programs.ts";
import { compiled, type Inputs, inputsFor, lengthsOf, maxDifference, reference, source } from "../programs.ts";

const tolerance = 1e-4;

const feedsOf = (g: Graph, inputs: Inputs): Record<string, ort.Tensor> =>
  Object.fromEntries(
    g.inputs.map((n) => {
      const values = inputs[n.name!]!;
      const shape = staticShape(n.type.shape);
      return [
        n.name!,
        values instanceof Int32Array
          ? new ort.Tensor("int32", values, shape)
          : new ort.Tensor("float32", values, shape),
      ];
    }),
  );

// 230 lies beyond the ring of Gemma's sliding layers, and within no other's context.
for (const name of [...programs, "gemma3-270m"])
  test(`${name} in ONNX Runtime`, async () => {
    const { module } = await compiled(name);
    for (const entry of module.entries) {
      const bound = bind(module.graph, entry.bind, entry.name);
      const session = await ort.InferenceSession.create(encodeOnnx(bound, source));
      for (const length of lengthsOf(entry)) {
        const position = entry.role === "decode" ? (entry.bind.C! > 230 ? 230 : 40) : 0;
        const inputs = inputsFor(bound, length, position);
        const { logits } = await session.run(feedsOf(bound, inputs));
        const difference = maxDifference(logits!.data as Float32Array, reference(bound, inputs));
        assert.ok(difference < tolerance, `${entry.name}, ${length} tokens: ${difference}`);
      }
      await session.release();
    }
  });

test("weights in f16 under f32 activations", async () => {
  const { module } = await compiled("gpt2-baseline");
  const narrow = runPasses(module, [f16Weights]).module;
  const bound = bind(narrow.graph, { T: 64 }, "forward-64");
  const bytes = encodeOnnx(bound, source);
  assert.ok(bytes.length < 0.6 * encodeOnnx(bind(module.graph, { T: 64 }, "forward-64"), source).length);
  const session = await ort.InferenceSession.create(bytes);
  const inputs = inputsFor(bound, 64);
  const { logits } = await session.run(feedsOf(bound, inputs));
  assert.ok(maxDifference(logits!.data as Float32Array, reference(bound, inputs)) < tolerance);
  const model = decodeOnnx(bytes);
  const again = evaluate(model.graph, { inputs, params: (p) => model.param(p) });
  assert.ok(maxDifference(again.outputs[0]!.data, reference(bound, inputs)) < 1e-5);
  await session.release();
});

test("a KV decode loop: each slice goes back into its cache", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const bound = bind(module.graph, { T: 1, C: 64 }, "decode-64");
  const bytes = encodeOnnx(bound, source);
  const caches = cachesOf(bytes);
  const session = await ort.InferenceSession.create(bytes);
  const inputs = inputsFor(bound, 1);
  for (const { input } of caches) inputs[input]!.fill(0);
  const tokens = [7, 91, 3, 200, 15];
  let logits: ArrayLike<number> = [];
  for (const [position, token] of tokens.entries()) {
    inputs.tokens![0] = token;
    inputs.position![0] = position;
    const result = await session.run(feedsOf(bound, inputs));
    logits = result.logits!.data as Float32Array;
    for (const c of caches) write(bound, inputs, c, result[c.output]!.data as Float32Array, position);
  }
  // The same five tokens at once, without a cache.
  const baseline = await compiled("gpt2-baseline");
  const whole = bind(baseline.module.graph, { T: 64 }, "forward-64");
  const all = inputsFor(whole, 5);
  all.tokens!.set(tokens);
  const expected = reference(whole, all).slice(4 * 256, 5 * 256);
  assert.ok(maxDifference(logits, expected) < 1e-5);
  await session.release();
});

interface Cache {
  readonly input: string;
  readonly output: string;
  readonly axis: number;
}

/** The pairs of cache and slice that the model's metadata tells. */
function cachesOf(bytes: Uint8Array): Cache[] {
  const { metadata } = decodeOnnx(bytes);
  return JSON.parse(metadata.get(cachesKey)!) as Cache[];
}

function write(g: Graph, inputs: Inputs, { input, axis }: Cache, slice: Float32Array, position: number): void {
  const shape = staticShape(g.inputs.find((n) => n.name === input)!.type.shape);
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (let o = 0; o < slice.length / inner; o++)
    inputs[input]!.set(slice.subarray(o * inner, (o + 1) * inner), (o * shape[axis]! + position) * inner);
}

test.run();
