/** Gemma 3 against Hugging Face transformers: three small models with made-up weights, read as checkpoints are. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { seededGemma } from "../support/gemma-checkpoint.ts";

for (const model of ["gemma3-tiny", "gemma3-mqa", "gemma3-wide"])
  test(`${model}: logits within 1e-4 and the same greedy text`, async () => {
    const goldens = readGoldens(model);
    assert.ok(goldens.forward.length > 5 && goldens.greedy.length > 1);
    await withSession(
      await build("gemma3-270m", { weights: await seededGemma(goldens.checkpoint!) }),
      async (session) => {
        for await (const { kind, prompt, length, error } of compareWithGoldens(session, goldens)) {
          const what = `${prompt} (${length} tokens)`;
          if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${what} that differ`);
          else assert.ok(error < 1e-4, `logits after ${what} differ by ${error}`);
        }
      },
    );
  });

test.run();
