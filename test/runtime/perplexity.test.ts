/** Perplexity of the trained fixture on text it has not seen, token by token through the cache, against Hugging Face's. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGoldens } from "../../src/cli/support/goldens.ts";
import type { Session } from "../../src/runtime/session.ts";
import { build, withSession } from "../support/builds.ts";

const fixture = "test/fixtures/gpt2-bible";
const { perplexity } = readGoldens("fixture");
const lines = readFileSync(`${fixture}/heldout.txt`, "utf8").trimEnd().split("\n");
/** `<|endoftext|>`, which begins every chapter. */
const begin = 0;

/** Sum over the text of -log p(token | what stands before it in its line), in nats. */
async function score(session: Session): Promise<{ nats: number; tokens: number }> {
  let [nats, tokens] = [0, 0];
  for (const line of lines) {
    session.reset();
    let logits = await session.prefill([begin]);
    for (const token of session.tokenizer.encode(line)) {
      const peak = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
      nats += peak + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - peak), 0)) - logits[token]!;
      tokens++;
      logits = await session.decode(token);
    }
  }
  return { nats, tokens };
}

for (const [precision, tolerance] of [
  ["f32", 1e-6],
  ["f16", 1e-4],
] as const)
  test(`${precision} weights`, async () => {
    const folder = await build("gpt2-fa2-kv-fused", { weights: fixture, precision });
    const { nats, tokens } = await withSession(folder, score);
    assert.is(tokens, perplexity!.tokens);
    const error = Math.abs(nats - perplexity!.nats) / perplexity!.nats;
    assert.ok(error < tolerance, `${nats} nats against ${perplexity!.nats}: differs by ${error}`);
  });

test.run();
