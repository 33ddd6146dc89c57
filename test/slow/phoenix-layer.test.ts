/** A layer of GPT-2 124M on the simulated array: 128 tokens at once, then one at the last place of a cache of 512. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gpt2 } from "../../graphs/models/gpt2.ts";
import { compileModule } from "../../src/codegen/compile.ts";
import { loadProgram } from "../../src/frontend/index.ts";
import { runPasses } from "../../src/passes/index.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import { largestDifference, promptOf, withSession } from "../support/builds.ts";
import { tempFolder } from "../support/temp.ts";

const context = 512;

test("prefill of 128 and a step of decoding at position 511 agree with the reference backend", async () => {
  const config = { ...gpt2.configs["124m"]!, layers: 1, vocab: 256 };
  const { passes } = await loadProgram("graphs/gpt2-fa2-kv-fused.ts");
  const built = gpt2.build(config);
  const { module: whole } = runPasses(built, passes);
  const module = { ...whole, entries: whole.entries.filter((e) => e.name.endsWith("-512")) };
  const folders = await Promise.all(
    ["reference", "phoenix"].map(async (target) => {
      const out = join(tempFolder(), target);
      const common = { program: "layer", info: gpt2.info(config), precision: "f32", passes: [] } as const;
      await compileModule({ ...common, module, target, weights: seededWeights(), out });
      return out;
    }),
  );
  // The caches come to position 511 through prompts: 128 tokens, then the rest.
  const logits = (folder: string) =>
    withSession(folder, async (s) => {
      const first = await s.prefill(promptOf(128));
      // A longer prompt goes on from there: 383 tokens more.
      const rest = await s.prefill(promptOf(context - 1));
      const last = await s.decode(17);
      assert.is(s.tokens.length, context);
      assert.is(s.stats().computedTokens, context);
      return [first, rest, last] as const;
    });
  const [expected, actual] = [await logits(folders[0]!), await logits(folders[1]!)];
  for (const [i, step] of ["prefill of 128", "prefill to 511", "decode at 511"].entries()) {
    const size = Math.max(...expected[i]!.map(Math.abs));
    const error = largestDifference(actual[i]!, expected[i]!) / size;
    assert.ok(error > 0 && error < 0.02, `${step}: relative error ${error}`);
    process.stdout.write(`  ${step}: relative error ${error.toExponential(1)}\n`);
  }
});

test.run();
