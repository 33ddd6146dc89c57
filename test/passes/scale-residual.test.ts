/** The residual stream in f16: what it is, and that dividing it changes nothing but its size. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gemma3 } from "../../graphs/models/gemma3.ts";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { gpt2 } from "../../graphs/models/gpt2.ts";
import { halfRangeOf } from "../../src/cli/support/half-range.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { nodeNames } from "../../src/ir/print.ts";
import {
  flashAttention,
  fuseMlp,
  kvCache,
  mergeQkv,
  residualStream,
  runPasses,
  scaleResidual,
  simplify,
  splitLinears,
} from "../../src/passes/index.ts";
import { divisorFor } from "../../src/passes/scale-residual.ts";

// From its file, because names come from there.
const loaded = await loadProgram("graphs/gemma3-270m.ts");
const model = () => loaded.build("tiny").module;
const lowered = () => runPasses(model(), [mergeQkv, simplify, fuseMlp, flashAttention, kvCache, splitLinears]).module;

test("two sums for each layer, and the row that is picked from them", () => {
  const { graph } = lowered();
  const names = nodeNames(graph);
  const { stream, sources } = residualStream(graph);
  const found = [...stream].map((n) => names.get(n)!);
  for (const name of ["h0.attended", "h0.block", "h1.attended", "h1.block", "h2.attended", "h2.block"])
    assert.ok(found.includes(name), name);
  assert.ok([...sources].every((n) => n.op.name === "rmsNorm" || names.get(n) === "x"));
  assert.is(sources.size, 2 * sizes.tiny.layers + 1);
});

test("the proof holds, and hits are counted", () => {
  const { records } = runPasses(lowered(), [scaleResidual(16)], { check: true });
  const hits = Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count]));
  assert.equal(hits, { "divide-source": 7, "norm-of-divided": 7 });
});

test("a stream that others than norms read, or that is yielded, is left alone", () => {
  const { configs, build } = gpt2;
  assert.is(residualStream(build(Object.values(configs)[0]!).graph).stream.size, 0);
  const part = gemma3("tiny").build(sizes.tiny, { first: 0, last: 1 });
  assert.is(residualStream(part.graph).stream.size, 0);
});

test("divisors are powers of two with room to spare", () => {
  assert.equal([1, 65504, 65505, 103000, 524032].map(divisorFor), [1, 1, 8, 8, 32]);
});

test("ranges by layer: the stream apart from the rest", () => {
  const { graph } = lowered();
  const range = (max: number) => ({ minmax: { min: 0, max }, percentile: { min: 0, max }, mse: { min: 0, max } });
  const values = { "h1.attended": range(1e5), "h1.found": range(300), "h0.qkv": range(12), logits: range(20) };
  const found = halfRangeOf(graph, {
    format: "heddle.calibration/1",
    program: "",
    weights: "",
    text: "t",
    tokens: 9,
    values,
  });
  assert.is(found.divisor, 8);
  assert.equal(
    found.layers.find((l) => l.layer === "h1"),
    { layer: "h1", value: "h1.attended", reaches: 1e5, besides: 300, fits: false },
  );
  assert.ok(found.layers.filter((l) => l.layer !== "h1").every((l) => l.fits));
});

test.run();
