/** The vendor's own library agrees with Hugging Face too, caches written by the session. Skipped where it is not installed. */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { available } from "./addon-support.ts";

const test = available("qnn-cpu") ? always : always.skip;

// Gemma's sliding layers have rings, which the session writes round and round.
for (const [program, goldens, context] of [
  ["gpt2-fa2-kv", "tiny", 128],
  ["gpt2-fa2-kv-fused", "tiny", 128],
  ["gemma3-270m", "gemma3-tiny", 256],
] as const)
  test(`${program} on Qualcomm's CPU library`, async () => {
    const folder = await build(program, { config: "tiny", target: "x-elite", precision: "f32" });
    await withSession(
      folder,
      async (session) => {
        for await (const { kind, prompt, length, error } of compareWithGoldens(session, readGoldens(goldens)))
          assert.ok(error <= (kind === "greedy" ? 0 : 1e-4), `${kind} after ${prompt} (${length} tokens): ${error}`);
        const { cache } = session.stats();
        assert.ok(cache.appendMs !== undefined && cache.appendMs > 0, "the session writes the caches");
        assert.is(cache.context, context);
      },
      { backend: "qnn-cpu" },
    );
  });

always.run();
