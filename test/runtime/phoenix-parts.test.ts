/** Programs in parts on the simulated array: what a part leaves goes into kernels of the next one, to the last bit as within one build. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CompileOptions } from "../../src/cli/support/compile-program.ts";
import { openProgram } from "../../src/runtime/program-folder.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";

for (const [name, target, precision] of [
  ["gemma3-270m", "phoenix", "w8a16"],
  ["gpt2-fa2-kv-fused", "strix", "f32"],
] as const)
  test(`${name} in 2 parts in ${precision} for ${target}`, async () => {
    const options: CompileOptions = { config: "tiny", target, precision, contexts: [64] };
    const [whole, inParts] = [await build(name, options), await build(name, { ...options, parts: 2 })];
    assert.is(openProgram(inParts).parts.length, 2);
    const logits = (folder: string) =>
      withSession(folder, async (s) => [await s.prefill(promptOf(9)), await s.decode(3), await s.decode(200)]);
    const found = await logits(inParts);
    for (const [i, expected] of (await logits(whole)).entries())
      assert.is(largestDifference(found[i]!, expected), 0, `step ${i}`);
  });

test.run();
