/** Caches of layers with a window: rings that stop growing, sequences that are gone back on, memory as computed. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";

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

test.run();
