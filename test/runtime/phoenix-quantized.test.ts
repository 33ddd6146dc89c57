/** Quantised programs on the simulated array: products of integers there, bit for bit what the reference backend computes. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { lowerProgram } from "../../src/cli/support/lower-program.ts";
import type { QuantizeRequest } from "../../src/cli/support/quantize-request.ts";
import { compileModule } from "../../src/codegen/compile.ts";
import { arrayBackend } from "../../src/codegen/mlir-aie/array-backend.ts";
import { aieSupport } from "../../src/codegen/mlir-aie/support.ts";
import type { QuantizedPrecision } from "../../src/codegen/precision.ts";
import { aieMachine } from "../../src/targets/aie-machine.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";
import { fixture } from "../support/held-out.ts";
import { tempFolder } from "../support/temp.ts";

const name = "gpt2-fa2-kv-fused";
const file = `graphs/${name}.ts`;
const prompt = promptOf(9, 256);
const host = { host: true } as const;
const contexts = [256];

/** A build whose products alone run on the array: attention in bf16 is another matter. */
async function productsOnly(precision: QuantizedPrecision, quantize: QuantizeRequest = {}): Promise<string> {
  const out = join(tempFolder(), `${name}-${precision}`);
  const target = "phoenix";
  await lowerProgram(file, { weights: fixture, precision, target, quantize, contexts }, async (lowered) => {
    const { program, module, built, passes, weights } = lowered;
    const support = { ...aieSupport, cachedAttention: host, flashCachedAttention: host };
    const backend = () => arrayBackend(aieMachine("npu1")!, support);
    const names = passes.map((p) => p.name);
    const request = { program: program.name, module, info: built.info, target, precision, weights, out };
    await compileModule({ ...request, passes: names, backend });
  });
  return out;
}

const logits = (folder: string) =>
  withSession(folder, async (s) => [await s.prefill(prompt), await s.decode(77), await s.decode(102)]);

for (const [precision, quantize] of [
  ["w8a8", {}],
  ["w4a8", { blockSize: 64 }],
] as const)
  test(`${precision}${"blockSize" in quantize ? " in blocks" : ""}: a trained GPT-2 with its products on the array has every bit of the reference backend's logits`, async () => {
    const [array, reference] = [
      await productsOnly(precision, quantize),
      await build(name, { weights: fixture, precision, quantize, contexts }),
    ];
    const [ours, theirs] = [await logits(array), await logits(reference)];
    for (const [i, row] of theirs.entries()) {
      assert.ok(new Set(row).size > 1000);
      const at = row.findIndex((x, j) => !Object.is(x, ours[i]![j]));
      assert.is(at, -1, `step ${i}: logit ${at} is ${ours[i]![at]}, not ${row[at]}`);
    }
  });

// Attention is in bf16, so values take other sides of a rounding.
for (const [precision, most] of [
  ["w8a8", 0.03],
  ["w4a8", 0.03],
  ["w8a16", 0.01],
  ["w4a16", 0.01],
] as const)
  test(`${precision}: with attention on the array too, logits within ${100 * most}% of the reference backend's`, async () => {
    const options = { config: "tiny", precision };
    const [array, reference] = [await build(name, { ...options, target: "phoenix" }), await build(name, options)];
    const [ours, theirs] = [await logits(array), await logits(reference)];
    const size = Math.max(...theirs.flatMap((l) => [...l].map(Math.abs)));
    for (const [i, row] of theirs.entries()) {
      const error = largestDifference(ours[i]!, row) / size;
      if (process.env.HEDDLE_SHOW === "1") console.log(`${precision}, step ${i}: ${(100 * error).toFixed(2)}%`);
      assert.ok(error > 0 && error < most, `step ${i}: ${error}`);
    }
  });

test.run();
