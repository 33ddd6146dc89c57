/** Caches of layers with a window: rings that stop growing, sequences that are gone back on, memory as computed. */
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { compileProgram } from "../../src/cli/support/compile-program.ts";
import { openModel } from "../../src/cli/support/untouched.ts";
import { argmax } from "../../src/runtime/sampler.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";
import { seededGemma } from "../support/gemma-checkpoint.ts";
import { tempFolder } from "../support/temp.ts";

const { layers, kvHeads, headDim, period } = sizes.tiny;
/** The window of 24 and a chunk of 128 beside it, in blocks of 64. */
const ring = 192;

/** Bytes of all caches in f32: K and V of each layer. */
function cacheBytes(context: number): number {
  const global = Math.floor(layers / period);
  return 2 * kvHeads * headDim * 4 * (global * context + (layers - global) * Math.min(context, ring));
}

test("the cache grows with the context, rings up to their size", async () =>
  withSession(await build("gemma3-270m"), async (session) => {
    for (const [length, context] of [
      [40, 64],
      [100, 128],
      [200, 256],
    ] as const) {
      await session.prefill(promptOf(length));
      const { cache } = session.stats();
      assert.equal([cache.context, cache.bytes], [context, cacheBytes(context)]);
    }
    assert.is(session.stats().cache.peakBytes, cacheBytes(128) + cacheBytes(256));
  }));

test("what a ring has overwritten is computed again, what it holds is not", async () => {
  const folder = await build("gemma3-270m");
  await withSession(folder, (session) =>
    withSession(folder, async (fresh) => {
      const whole = promptOf(250);
      await session.prefill(whole);
      const reused = () => session.stats().reusedTokens;
      // 250 tokens in chunks of 128 were written up to position 256, of which a ring of 192 lost the first 64.
      for (const [length, kept] of [
        [250, 249],
        [90, 89],
        [60, 0],
      ] as const) {
        const before = reused();
        fresh.reset();
        const same = largestDifference(
          await session.prefill(whole.slice(0, length)),
          await fresh.prefill(whole.slice(0, length)),
        );
        assert.ok(same < 2e-5, `${length} tokens: ${same}`);
        assert.is(reused() - before, kept, `${length} tokens`);
      }
    }),
  );
});

test("sequences at random against fresh sessions", async () => {
  const folder = await build("gemma3-270m");
  let state = 7;
  const random = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % n;
  };
  await withSession(folder, (session) =>
    withSession(folder, async (fresh) => {
      let sequence = promptOf(1);
      for (let i = 0; i < 40; i++) {
        const kept = random(2) ? sequence.length : random(sequence.length + 1);
        const longer = kept + [1, 2, 30, 130][random(4)]!;
        sequence = [...sequence.slice(0, kept), ...promptOf(256, 256, i)].slice(0, Math.min(longer, 255));
        fresh.reset();
        const [a, b] = [await session.prefill(sequence), await fresh.prefill(sequence)];
        assert.ok(largestDifference(a, b) < 2e-5, `step ${i}, ${sequence.length} tokens, ${kept} kept`);
      }
    }),
  );
});

/** The windows, buckets and rings of 270M in a model that is otherwise small. */
const long = {
  ...{ model_type: "gemma3_text", vocab_size: 97, hidden_size: 32, intermediate_size: 48, num_hidden_layers: 4 },
  ...{ num_attention_heads: 4, num_key_value_heads: 1, head_dim: 16, query_pre_attn_scalar: 16 },
  ...{ max_position_embeddings: 4096, sliding_window: 512, sliding_window_pattern: 2 },
};

test("contexts that are asked for, beyond 2,048 and of any number of blocks", async () => {
  const weights = await seededGemma({ ...long, max_position_embeddings: 5000, sliding_window: 24 });
  const folder = await build("gemma3-270m", { weights, contexts: [192, 4096] });
  await withSession(folder, async (session) => {
    assert.is(session.capacity, 4096);
    const prompt = promptOf(2200, 97);
    const atOnce = await session.prefill(prompt);
    assert.equal(session.stats().entries, ["prefill-4096"]);
    assert.is(session.stats().cache.bytes, 2 * 16 * 4 * 2 * (4096 + ring));
    session.reset();
    await session.prefill(prompt.slice(0, 150));
    assert.is(session.stats().cache.context, 192);
    assert.ok(largestDifference(atOnce, await session.prefill(prompt)) < 5e-5);
    const interpreted = (await openModel("graphs/gemma3-270m.ts", { weights }, 4096)).logits(prompt);
    assert.ok(largestDifference(atOnce, Float32Array.from(interpreted)) < 5e-5);
  });
});

test("2,000 generated tokens across window and bucket edges are those of the model without a cache", async () => {
  const weights = await seededGemma(long);
  const uncached = join(tempFolder(), "uncached");
  await compileProgram("test/fixtures/gemma3-uncached.ts", { weights, out: uncached });
  await withSession(await build("gemma3-270m", { weights }), (session) =>
    withSession(uncached, async (whole) => {
      const sampled = new Set([256, 257, 511, 512, 513, 640, 641, 1023, 1024, 1025, 1152, 1153, 1600, 2003]);
      const sequence = promptOf(3, 97);
      let logits = await session.prefill(sequence);
      for (let i = 0; i < 2000; i++) {
        // Greedy text of made-up weights soon repeats itself: the best of the next places now and then.
        sequence.push(i % 7 ? argmax(logits) : (i * 31) % 97);
        logits = await session.decode(sequence.at(-1)!);
        const length = sequence.length;
        if (!sampled.has(length)) continue;
        const error = largestDifference(logits, await whole.prefill(sequence));
        assert.ok(error < 5e-5, `after ${length} tokens: ${error}`);
        const [context, places] = [[256, 512, 1024, 2048].find((c) => c >= length)!, 2 * 16 * 4];
        assert.is(session.stats().cache.bytes, 2 * places * (context + Math.min(context, 640)), `${length} tokens`);
        sampled.delete(length);
      }
      assert.is(sampled.size, 0);
      assert.is(session.stats().cache.growths, 3);
    }),
  );
});

test.run();
