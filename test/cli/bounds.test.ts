/** Models on paper: parts of them, contexts that they need, and what memory allows. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gemma3 } from "../../graphs/models/gemma3.ts";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { bounds, decodeCost } from "../../src/cli/support/bounds.ts";
import { boundsText } from "../../src/cli/support/bounds-text.ts";
import { compileProgram, tooLargeToMakeUp } from "../../src/cli/support/compile-program.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { bind, evaluate, type LayerRange } from "../../src/ir/index.ts";
import { flashAttention, fuseMlp, kvCache, mergeQkv, runPasses, simplify } from "../../src/passes/index.ts";
import { randomParams } from "../../src/passes/prove.ts";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const tiny = gemma3("tiny");
const all = [mergeQkv, simplify, fuseMlp, flashAttention, kvCache];

test("parts one after another are the model", () => {
  const T = 40;
  const run = (layers: LayerRange | undefined, input: Int32Array | Float64Array) => {
    const graph = bind(tiny.build(sizes.tiny, layers).graph, { T });
    const inputs = { [graph.inputs[0]!.name!]: input };
    return evaluate(graph, { inputs, params: randomParams(3), precision: "f64" }).outputs[0]!.data;
  };
  const tokens = Int32Array.from({ length: T }, (_, i) => (i * 37) % 256);
  const hidden = run({ first: 1, last: 1 }, run({ first: 0, last: 0 }, tokens) as Float64Array);
  const logits = run({ first: 2, last: 2 }, hidden as Float64Array);
  const whole = run(undefined, tokens);
  assert.is(whole.length, logits.length);
  assert.ok(whole.every((x, i) => Math.abs(x - logits[i]!) < 1e-9));
});

test("a part gets its cache, proved, and all its rows", () => {
  for (const layers of [
    { first: 0, last: 0 },
    { first: 1, last: 1 },
    { first: 1, last: 2 },
  ]) {
    const { module, records } = runPasses(tiny.build(sizes.tiny, layers), all, { check: true });
    assert.ok(records.every((r) => !r.proof?.difference));
    const [first] = module.graph.outputs[0]!.type.shape;
    assert.equal(typeof first, layers.last < 2 ? "object" : "number", "all rows, or the last one of logits");
  }
});

test("a part compiles to a build that says what it is", async () => {
  const out = tempFolder();
  const { manifest } = await compileProgram("graphs/gemma3-270m.ts", {
    config: "tiny",
    layers: { first: 1, last: 1 },
    out,
  });
  const { inputs, outputs } = manifest.entries[0]!;
  assert.equal(
    inputs.map((p) => p.role),
    ["hidden", "position", "last", "cache", "cache"],
  );
  assert.equal(
    outputs.map((p) => p.role),
    ["hidden"],
  );
  const { code, stderr } = await runCommand("generate", [out, "--prompt", "x"]);
  assert.is(code, 1);
  assert.match(stderr, "holds some layers of a model, which write no text on their own");
});

test("layers that there are not", async () => {
  const program = await loadProgram("graphs/gemma3-270m.ts");
  assert.throws(() => program.build("tiny", { first: 2, last: 3 }), /has no layers 2 to 3/);
  const gpt2 = await loadProgram("graphs/gpt2-baseline.ts");
  assert.throws(() => gpt2.build("tiny", { first: 0, last: 0 }), "cannot be taken apart into layers");
  const { code, stderr } = await runCommand("compile", ["graphs/gemma3-270m.ts", "--layers", "3-1"]);
  assert.is(code, 2);
  assert.match(stderr, "expected a layer such as 7, or several such as 6-11");
});

test("27B: what a token reads, the contexts that it is cut into, and too much to make up", async () => {
  const program = await loadProgram("graphs/gemma3-27b.ts");
  const { module } = runPasses(program.build().module, program.passes);
  const cost = decodeCost(module)!;
  // The report says 25.6 billion weights and 1.4 billion of the table of tokens, which is the head as well.
  assert.ok(Math.abs(cost.weights / 27.0e9 - 1) < 1e-2, `${cost.weights}`);
  // Ten layers of 62 see the whole context of 2048, the others a ring of 1152; K and V of 16 heads of 128 in f16.
  const places = 10 * 2048 + 52 * 1152;
  assert.ok(Math.abs(cost.cacheBytes / (places * 2 * 16 * 128 * 2) - 1) < 1e-3, `${cost.cacheBytes}`);
  const text = boundsText(module, 81);
  for (const contexts of ["54.0 GB in f16: 23 contexts", "28.7 GB in q8_0: 12 contexts", "15.2 GB in q4_0: 6 contexts"])
    assert.match(text, contexts);
  assert.match((await tooLargeToMakeUp("graphs/gemma3-27b.ts", {}))!, "108 GB of made-up weights");
  assert.is(await tooLargeToMakeUp("graphs/gemma3-27b.ts", { layers: { first: 7, last: 7 } }), undefined);
});

test("bounds are bytes over rate; streams share a reading of the weights", () => {
  const goal = 81;
  const cost = { context: 2048, weights: 27e9, cacheBytes: 0.1e9, flops: 54e9 };
  for (const b of bounds(cost, goal)) {
    assert.ok(Math.abs(b.stream * b.bytesPerToken - b.rate.value) < 1);
    assert.ok(Math.abs(b.accepted - goal / b.stream) < 1e-9);
    const rate = (n: number) => (n * b.rate.value) / (b.bytesPerToken + (n - 1) * cost.cacheBytes);
    if (b.streams === undefined) assert.ok(rate(1e9) < goal, "caches alone are too much");
    else assert.ok(rate(b.streams) >= goal - 1e-9 && rate(b.streams - 1) < goal);
  }
});

test.run();
