/** GPT-2 in full size on Qualcomm's HTP simulator: one prefill and three steps against the reference backend in f32. */
import { rmSync } from "node:fs";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { build, promptOf } from "../support/builds.ts";
import { greedyReference, hasHtp, sqnr, withHtp } from "../support/htp.ts";

const test = hasHtp ? always : always.skip;
const program = "gpt2-fa2-kv-fused";
const steps = 3;

test("124M: prefill and three steps", async () => {
  const prompt = promptOf(24, 50257);
  const onReference = await build(program, { config: "124m" });
  const { expected, sequence } = await greedyReference(onReference, prompt, steps);

  const onHtp = await build(program, { config: "124m", target: "x-elite", precision: "f16", context: false });
  await withHtp(onHtp, async ({ entries, runner, counters }) => {
    const run = runner(entries.filter((e) => e.context === 64));
    for (const [i, logits] of expected.entries()) {
      const ratio = sqnr(await run.run(sequence.slice(0, prompt.length + i)), logits);
      assert.ok(ratio > 40, `after ${prompt.length + i} tokens: ${ratio.toFixed(1)} dB`);
    }
    assert.is(counters.computedTokens, prompt.length + steps, "the cache is used");
    run.reset();
  });
  rmSync(onHtp, { recursive: true, force: true });
});

always.run();
