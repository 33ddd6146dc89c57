/** All six programs against Hugging Face transformers: the tiny model with made-up weights, and the trained fixture. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { CompileOptions } from "../../src/cli/support/compile-program.ts";
import { compareWithGoldens, type Goldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { programs } from "../support/programs.ts";

const models: Readonly<Record<string, CompileOptions>> = {
  tiny: { config: "tiny" },
  fixture: { weights: "test/fixtures/gpt2-bible" },
};

/** Without a cache every token costs a pass over the whole sequence: short continuations show as much as long ones. */
function bearable(goldens: Goldens, isCached: boolean): Goldens {
  if (isCached) return goldens;
  const { greedy } = goldens;
  return { ...goldens, greedy: greedy.filter((g) => g.ids.length + g.tokens.length <= 128) };
}

for (const [model, options] of Object.entries(models))
  for (const program of programs)
    test(`${program}, ${model}`, async () => {
      const goldens = bearable(readGoldens(model), program.includes("kv"));
      assert.ok(goldens.forward.length > 5 && goldens.greedy.length > 0);
      await withSession(await build(program, options), async (session) => {
        for await (const { kind, prompt, length, error } of compareWithGoldens(session, goldens)) {
          const what = `${prompt} (${length} tokens)`;
          if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${what} that differ`);
          else assert.ok(error < 1e-4, `logits after ${what} differ by ${error}`);
        }
      });
    });

test.run();
