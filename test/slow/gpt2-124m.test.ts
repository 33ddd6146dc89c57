/**
 * All six programs in full size, 124M weights from seed 0, against Hugging Face transformers. The program with everything gets
 * every golden prompt; for the others a few lengths show that the size, not the program, makes no difference. HEDDLE_ALL=1 gives
 * all of them every prompt and token.
 */
import { rmSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, type Goldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { programs } from "../support/programs.ts";

const isWhole = process.env.HEDDLE_ALL === "1";
const all = readGoldens("124m");

/** Without a cache, a token costs a pass over the whole sequence: the first ones of a text, and all of them with one. */
const some = (isCached: boolean): Goldens => ({
  ...all,
  forward: all.forward
    .filter((f) => (isCached ? [1, 65, 257, 1024] : [65, 129]).includes(f.ids.length))
    .map((f) => ({ ...f, positions: f.positions.slice(-1) })),
  greedy: all.greedy
    .filter((g) => g.ids.length === (isCached ? 65 : 1))
    .map((g) => (isCached ? g : { ...g, tokens: g.tokens.slice(0, 12) })),
});

for (const program of programs)
  test(`${program}, 124M`, async () => {
    const folder = await build(program, { config: "124m" });
    const goldens = isWhole || program === "gpt2-fa2-kv-fused" ? all : some(program.includes("kv"));
    try {
      await withSession(folder, async (session) => {
        for await (const { kind, prompt, error } of compareWithGoldens(session, goldens)) {
          if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${prompt} that differ`);
          else assert.ok(error < 1e-4, `logits after ${prompt} differ by ${error}`);
        }
      });
    } finally {
      // Half a gigabyte each.
      rmSync(folder, { recursive: true, force: true });
    }
  });

test.run();
