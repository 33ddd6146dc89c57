/**
 * How exact one product with weights is on Qualcomm's HTP simulator, beside the reference backend on the same integers, in steps of what it yields.
 * HTP drops the lowest eight bits of sums of 16-bit activations: 256 units of activation times weight. Weights of 8 bits, and of 4 bits in
 * blocks, have small units; of 4 bits with one scale per channel these are sixteen times as large. Skipped where the library is not installed.
 */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { withGraph } from "../../../src/cli/support/run-graph.ts";
import { qnnVendorFixed } from "../../../src/codegen/qnn/index.ts";
import { graph, type Node } from "../../../src/ir/index.ts";
import * as ops from "../../../src/ir/ops/index.ts";
import { inputOp } from "../../../src/ir/ops/input.ts";
import { seededWeights } from "../../../src/weights/seeded.ts";
import { noise } from "../../ir/examples/example.ts";
import { hasHtp } from "../../support/htp.ts";

const test = hasHtp ? always : always.skip;
const [rows, inner, outer] = [16, 640, 128];
/** Zero is no whole number of 256 steps, as in encodings from a calibration. */
const from = { dtype: "u16", scale: Math.fround(2 ** -13), offset: -40000 } as const;
const weights = seededWeights();
const name = "model.layers.0.self_attn.q_proj.weight";

interface Form {
  readonly bits: 4 | 8;
  readonly blockSize?: 32;
  /** Weights of one scale per channel written in blocks, all of the same multiple: the same values, of integers sixteen times as large. */
  readonly asBlocks?: true;
}

/** x W^T, and 256 units of its sums in steps of the result, at most. */
function product({ bits, blockSize, asBlocks }: Form): { readonly x: Node; readonly y: Node; readonly scale: number } {
  const x = inputOp.build([], { ...from, shape: [rows, inner] }, { name: "x" });
  const w = ops.param.build([], { name, dtype: "f32", shape: [outer, inner] }, { name });
  const found = ops.weightScales.build([w], { bits, method: "mse", ...(blockSize && { blockSize }) });
  const scales = asBlocks ? ops.mul(found, ops.scalar(1 / 16)) : found;
  const same = asBlocks && ops.constant({ dtype: "u8", shape: [outer, inner / 128], values: [16] });
  const blocks = same ? [same] : blockSize ? [ops.blockScales.build([w, scales], { blockSize })] : [];
  const wq = ops.quantizeWeight.build([w, scales, ...blocks], { bits });
  const linear = blocks.length > 0 ? ops.blockQuantizedLinear : ops.quantizedLinear;
  // The range of such sums, about, for values of x below 3.2.
  const scale = Math.fround((16 * deviation * Math.sqrt(inner)) / 65535);
  const y = linear.build([x, wq, scales, ...blocks], { dtype: "u16", scale, offset: -32768 }, { name: "y" });
  return { x, y, scale };
}

const values = weights.read(name, [outer, inner]);
const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

/** Mean, root mean square and largest magnitude of what the simulator's integers differ by. */
async function errors(form: Form) {
  const { x, y, scale } = product(form);
  const g = graph("product", { inputs: [x], outputs: [y] });
  const given = { x: noise(rows * inner, 1).map((v) => Math.round(v * 24000) - from.offset) };
  const result = (options: Parameters<typeof withGraph>[3]) =>
    withGraph(g, weights, async (run) => Float64Array.from((await run(given))[0]!), options);
  const expected = await result({});
  const found = await result({ generator: qnnVendorFixed(new Map()), library: "htp" });
  assert.ok(new Set(expected).size > outer, "results have many values");
  const differences = found.map((q, i) => q - expected[i]!);
  const seen = {
    mean: differences.reduce((sum, d) => sum + d, 0) / differences.length,
    rms: Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0) / differences.length),
    worst: differences.reduce((most, d) => Math.max(most, Math.abs(d)), 0),
    /** 256 units, in steps, of the channel with the largest weight. */
    lost: (256 * from.scale * (largest / (2 ** (form.bits - 1) - 1))) / scale,
  };
  if (process.env.HEDDLE_SHOW === "1") console.log(form, seen);
  return seen;
}

for (const [what, form] of [
  ["8 bits, one scale per channel", { bits: 8 }],
  ["4 bits in blocks of 32", { bits: 4, blockSize: 32 }],
  ["4 bits, one scale per channel written in blocks", { bits: 4, asBlocks: true }],
] as const)
  test(`${what}: to a step`, async () => {
    const { mean, rms, worst } = await errors(form);
    assert.ok(worst <= 1 && rms < 0.6 && Math.abs(mean) < 0.35, `mean ${mean}, rms ${rms}, worst ${worst}`);
  });

test("4 bits, one scale per channel: rounded down to 256 units", async () => {
  const { mean, rms, worst, lost } = await errors({ bits: 4 });
  assert.ok(mean < -0.5, `mean ${mean}: HTP rounds better than it did, see docs/htp-legalisation.md`);
  assert.ok(worst <= 1.5 * lost + 1 && rms <= lost, `rms ${rms}, worst ${worst}, of ${lost} steps`);
});

always.run();
