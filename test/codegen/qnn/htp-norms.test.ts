/** RmsNorm in f16 on Qualcomm's HTP simulator, in the shapes that it computes wrong unless it is given one matrix. Skipped without it. */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { withGraph } from "../../../src/cli/support/run-graph.ts";
import { qnnVendorFixed, qnnVendorHalf } from "../../../src/codegen/qnn/index.ts";
import * as ir from "../../../src/ir/index.ts";
import { seededWeights } from "../../../src/weights/seeded.ts";
import { noise } from "../../ir/examples/example.ts";
import { build, promptOf, withSession } from "../../support/builds.ts";
import { inSingle } from "../../support/fixed-definition.ts";
import { hasHtp, sqnr, withHtp } from "../../support/htp.ts";

/** Around zero. */
const encodingOf = (reach: number) => ({ dtype: "u16", scale: Math.fround(reach / 32767), offset: -32768 }) as const;

const test = hasHtp ? always : always.skip;

for (const shape of [
  [2, 64, 32],
  [4, 40, 16],
  [7, 64, 24],
  [2, 64, 33],
] as const)
  test(`rows of ${shape}`, async () => {
    const x = ir.input("x", "f32", ...shape);
    const gamma = ir.constant({ dtype: "f32", shape: [shape[2]], values: noise(shape[2], 3).map((v) => v + 1.5) });
    const g = ir.graph("norm", { inputs: [x], outputs: [ir.rmsNorm(x, gamma)] });
    const inputs = { x: noise(shape[0] * shape[1] * shape[2], 1) };
    const [expected] = ir.evaluate(g, { inputs }).outputs;
    const actual = await withGraph(g, seededWeights(0), async (run) => Float32Array.from((await run(inputs))[0]!), {
      generator: qnnVendorHalf,
      library: "htp",
    });
    const ratio = sqnr(actual, expected!.data);
    assert.ok(ratio > 60, `${ratio.toFixed(1)} dB`);
  });

test("in fixed point what is normed is rounded to the nearest, not down", async () => {
  const [rows, width] = [16, 64];
  const x = ir.inputOp.build([], { shape: [rows, width], ...encodingOf(4) }, { name: "x" });
  const gamma = ir.constant({ dtype: "f32", shape: [width], values: noise(width, 3).map((v) => v + 1.5) });
  const floats = (n: ir.Node) => ir.dequantize(n, { dtype: "f16" });
  const normed = ir.rmsNorm(floats(x), floats(ir.quantize(gamma, encodingOf(4))));
  const g = ir.graph("norm", { inputs: [x], outputs: [ir.quantize(normed, encodingOf(8))] });
  const inputs = { x: noise(rows * width, 1).map((v) => Math.round(32768 + 20000 * v)) };
  const [expected] = ir.evaluate(inSingle(g), { inputs }).outputs;
  const options = { generator: qnnVendorFixed(new Map()), library: "htp" } as const;
  const actual = await withGraph(g, seededWeights(0), async (run) => Array.from((await run(inputs))[0]!), options);
  const steps = actual.map((v, i) => v - expected!.data[i]!);
  const mean = steps.reduce((sum, s) => sum + s, 0) / steps.length;
  assert.ok(Math.abs(mean) < 0.25, `${mean} of a step`);
});

test("a chunk of 64 rows with heads of 32 values that share keys", async () => {
  const options = { config: "tiny", contexts: [64] } as const;
  const prompt = promptOf(40);
  const reference = await build("gemma3-270m", { ...options, precision: "f32" });
  const expected = await withSession(reference, (session) => session.prefill(prompt));
  const onHtp = await build("gemma3-270m", { ...options, target: "x-elite", precision: "f16", context: false });
  await withHtp(onHtp, async ({ entries, runner }) => {
    const ratio = sqnr(await runner(entries).run(prompt), expected);
    assert.ok(ratio > 45, `${ratio.toFixed(1)} dB`);
  });
});

always.run();
