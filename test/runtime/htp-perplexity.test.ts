/**
 * Perplexity of quantised programs on Qualcomm's HTP simulator, token by token through the cache, on the start of the text that the small
 * trained model has not seen: what was measured on the reference backend holds there. Skipped where the library is not installed.
 */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { build, withSession } from "../support/builds.ts";
import { begin, heldOutLines, surprise, fixture as weights } from "../support/held-out.ts";
import { hasHtp, withHtp } from "../support/htp.ts";

const test = hasHtp ? always : always.skip;
const program = "gpt2-fa2-kv-fused";
/** Tokens predicted: what fits one context behind the first token; half of it is 60 runs of the simulator less. */
const count = process.env.HEDDLE_ALL === "1" ? 120 : 60;
const contexts = [128];

for (const precision of ["w8a16", "w4a16"] as const)
  test(`${precision}: as on the reference backend`, async () => {
    const onReference = await build(program, { weights, precision, contexts });
    const { tokens, expected } = await withSession(onReference, async (session) => {
      const tokens = [begin, ...session.tokenizer.encode(heldOutLines.join("\n")).slice(0, count)];
      let logits = await session.prefill([begin]);
      let expected = 0;
      for (const token of tokens.slice(1)) {
        expected += surprise(logits, token);
        logits = await session.decode(token);
      }
      return { tokens, expected };
    });
    const onHtp = await build(program, { weights, target: "x-elite", precision, contexts, context: false });
    let found = 0;
    await withHtp(onHtp, async ({ entries, runner }) => {
      const run = runner(entries);
      for (let i = 1; i < tokens.length; i++) found += surprise(await run.run(tokens.slice(0, i)), tokens[i]!);
      run.reset();
    });
    const worse = Math.exp((found - expected) / count) - 1;
    if (process.env.HEDDLE_SHOW === "1") console.log(`${precision}: ${(100 * worse).toFixed(3)}%`);
    assert.ok(Math.abs(worse) < 0.01, `perplexity differs by ${(100 * worse).toFixed(2)}%`);
  });

always.run();
