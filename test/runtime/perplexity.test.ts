/** Perplexity of the trained fixture on text it has not seen, token by token through the cache, against Hugging Face's. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { scoreHeldOut } from "../support/held-out.ts";

const fixture = "test/fixtures/gpt2-bible";
const { perplexity } = readGoldens("fixture");
for (const [precision, tolerance] of [
  ["f32", 1e-6],
  ["f16", 1e-4],
] as const)
  test(`${precision} weights`, async () => {
    const folder = await build("gpt2-fa2-kv-fused", { weights: fixture, precision });
    const { nats, tokens } = await withSession(folder, scoreHeldOut);
    assert.is(tokens, perplexity!.tokens);
    const error = Math.abs(nats - perplexity!.nats) / perplexity!.nats;
    assert.ok(error < tolerance, `${nats} nats against ${perplexity!.nats}: differs by ${error}`);
  });

/** What quantisation may add to the perplexity of f32, and what it was measured to add. */
for (const [name, precision, quantize, most] of [
  ["w8a16", "w8a16", {}, 0.01],
  ["w8a8", "w8a8", {}, 0.01],
  ["w4a16", "w4a16", {}, 0.04],
  ["w4a8", "w4a8", {}, 0.04],
  ["w4a16 in blocks of 64", "w4a16", { blockSize: 64 }, 0.03],
  ["w4a16 in blocks of 32, head too", "w4a16", { blockSize: 32, head: "w4" }, 0.03],
  [
    "w4a16 and a fifth more bytes for the layers that suffer most, caches in i8",
    "w4a16",
    { budget: 20, kv: "i8" },
    0.01,
  ],
] as const)
  test(`${name}, calibrated on another text`, async () => {
    const folder = await build("gpt2-fa2-kv-fused", { weights: fixture, precision, quantize });
    const { nats, tokens } = await withSession(folder, scoreHeldOut);
    assert.is(tokens, perplexity!.tokens);
    const worse = Math.exp((nats - perplexity!.nats) / tokens) - 1;
    if (process.env.HEDDLE_SHOW === "1") console.log(`${name}: ${(100 * worse).toFixed(3)}%`);
    assert.ok(Math.abs(worse) < most, `perplexity is ${(100 * worse).toFixed(2)}% above that of f32`);
  });

test.run();
