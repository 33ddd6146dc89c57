/** Sessions on the tiny GPT-2: a cache must never show in the numbers, only in the work. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Session } from "../../src/runtime/session.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";

const plain = await build("gpt2-baseline");
const cached = await build("gpt2-fa2-kv");
const fused = await build("gpt2-fa2-kv-fused");

/** Logits without a cache, for each length of one sequence. */
const truth = (sequence: readonly number[], lengths: readonly number[]) =>
  withSession(plain, async (session) => {
    const logits = new Map<number, Float32Array>();
    for (const n of lengths) logits.set(n, await session.prefill(sequence.slice(0, n)));
    return logits;
  });

function same(a: Float32Array, b: Float32Array, what: string): void {
  const difference = largestDifference(a, b);
  assert.ok(difference < 1e-5, `${what}: differs by ${difference}`);
}

const sequence = promptOf(128);
const all = Array.from({ length: 128 }, (_, i) => i + 1);
const expected = await truth(sequence, all);

for (const [name, folder] of Object.entries({ cached, fused })) {
  test(`${name}: prompts of ragged lengths, each from nothing`, () =>
    withSession(folder, async (session) => {
      for (const n of [1, 2, 31, 63, 64, 65, 100, 127, 128]) {
        session.reset();
        same(await session.prefill(sequence.slice(0, n)), expected.get(n)!, `${n} tokens`);
      }
    }));

  test(`${name}: token by token, from one bucket into the next`, () =>
    withSession(folder, async (session) => {
      same(await session.prefill(sequence.slice(0, 1)), expected.get(1)!, "1 token");
      for (let n = 2; n <= 128; n++) {
        same(await session.decode(sequence[n - 1]!), expected.get(n)!, `${n} tokens`);
        assert.is(session.stats().cache.context, n <= 64 ? 64 : 128);
      }
      const { cache, computedTokens, entries } = session.stats();
      assert.is(computedTokens, 128);
      assert.is(cache.growths, 1);
      assert.is(cache.bytes, 2 * 2 * 64 * 128 * 4);
      assert.is(cache.peakBytes, cache.bytes * 1.5);
      assert.equal(entries, ["decode-64", "decode-128"]);
    }));

  test(`${name}: prompts that end on either side of a bucket's edge, then on`, () =>
    withSession(folder, async (session) => {
      for (const n of [62, 63, 64, 65]) {
        session.reset();
        await session.prefill(sequence.slice(0, n));
        for (let m = n + 1; m <= n + 3; m++)
          same(await session.decode(sequence[m - 1]!), expected.get(m)!, `${n} tokens, then ${m}`);
      }
    }));
}

test("a prompt that begins like the last one keeps what is the same", () =>
  withSession(cached, async (session) => {
    await session.prefill(sequence.slice(0, 50));
    same(await session.prefill(sequence.slice(0, 90)), expected.get(90)!, "longer");
    assert.is(session.stats().reusedTokens, 50);
    assert.is(session.stats().computedTokens, 90);
    same(await session.prefill(sequence.slice(0, 20)), expected.get(20)!, "shorter");
    assert.is(session.stats().computedTokens, 91);
    const other = [...sequence.slice(0, 10), 255, 254, 253];
    same(await session.prefill(other), (await truth(other, [13])).get(13)!, "another ending");
    assert.is(session.stats().computedTokens, 94);
    assert.equal(session.tokens, other);
  }));

test("a prompt longer than the context is refused, and the session lives on", () =>
  withSession(cached, async (session) => {
    await rejects(
      () => session.prefill(promptOf(129)),
      "the prompt is 129 tokens long; the context holds 128\n  try: shorten it",
    );
    await session.prefill(sequence);
    await rejects(() => session.decode(1), "with this token the sequence is 129 tokens long; the context holds 128");
    assert.is(session.tokens.length, 128);
    same(await session.prefill(sequence.slice(0, 5)), expected.get(5)!, "afterwards");
  }));

for (const [name, folder] of Object.entries({ cached, plain }))
  test(`${name}: a sliding window forgets the oldest half and computes the rest anew`, () =>
    withSession(
      folder,
      async (session) => {
        await session.prefill(sequence);
        const logits = await session.decode(7);
        const kept = [...sequence.slice(65), 7];
        assert.equal(session.tokens, kept);
        same(logits, (await truth(kept, [64])).get(64)!, "after the slide");
        same(await session.decode(8), (await truth([...kept, 8], [65])).get(65)!, "one more");
        assert.is(session.stats().slides, 1);
        await session.prefill(promptOf(300));
        assert.is(session.tokens.length, 64);
      },
      { overflow: "slide" },
    ));

test("reset forgets the sequence and frees the cache", () =>
  withSession(cached, async (session) => {
    await session.prefill(promptOf(100, 256, 5));
    session.reset();
    assert.is(session.stats().cache.bytes, 0);
    assert.equal(session.tokens, []);
    same(await session.prefill(sequence.slice(0, 30)), expected.get(30)!, "afterwards");
    assert.is(session.stats().cache.context, 64);
  }));

test("two sessions side by side do not see each other", () =>
  withSession(cached, (a) =>
    withSession(fused, async (b) => {
      await Promise.all([a.prefill(sequence.slice(0, 40)), b.prefill(promptOf(70, 256, 9))]);
      for (let n = 41; n <= 60; n++) {
        const [logits] = await Promise.all([a.decode(sequence[n - 1]!), b.decode(n)]);
        same(logits, expected.get(n)!, `${n} tokens`);
      }
      b.close();
      same(await a.decode(sequence[60]!), expected.get(61)!, "after the other closed");
    }),
  ));

test("statistics say how much work the cache saved", () =>
  withSession(cached, async (session) => {
    await session.prefill(sequence.slice(0, 20));
    for (let n = 21; n <= 30; n++) await session.decode(sequence[n - 1]!);
    const stats = session.stats();
    const without = Array.from({ length: 11 }, (_, i) => 20 + i).reduce((a, b) => a + b);
    assert.is(stats.savedShare, (without - 30) / without);
    assert.is(stats.prefill.tokens, 20);
    assert.is(stats.decode.tokens, 10);
    assert.ok(stats.prefill.ms > 0 && stats.decode.ms > 0 && stats.buildMs > 0);
    assert.is(stats.cache.appendedBy, "graph");
    assert.is(stats.cache.appendMs, undefined, "nobody asked for a profile");
    assert.is(stats.cache.length, 30);
  }));

test("a program without a cache saves nothing and says so", () =>
  withSession(plain, async (session) => {
    await session.prefill(sequence.slice(0, 20));
    await session.decode(3);
    const stats = session.stats();
    assert.is(stats.savedShare, 0);
    assert.is(stats.computedTokens, 41);
    assert.is(stats.decode.tokens, 1);
    assert.is(stats.cache.peakBytes, 0);
  }));

test("generate yields tokens one by one, with and without a cache the same", async () => {
  const run = (folder: string) =>
    withSession(folder, async (session) => {
      const tokens: number[] = [];
      for await (const { token } of session.generate("In the beginning", { maxTokens: 100 })) tokens.push(token);
      assert.is(session.tokens.length, 16 + 99, "the last token is not run");
      return tokens;
    });
  const tokens = await run(cached);
  assert.is(tokens.length, 100);
  assert.equal(await run(plain), tokens);
  assert.equal(await run(fused), tokens);
});

test("generate stops at a stop token, at an abort, and repeats itself with the same seed", () =>
  withSession(cached, async (session) => {
    const run = async (options: object, most = 20) => {
      const tokens: number[] = [];
      for await (const { token } of session.generate(sequence.slice(0, 9), { maxTokens: most, ...options }))
        tokens.push(token);
      return tokens;
    };
    const sampled = await run({ temperature: 5, seed: 3 });
    assert.equal(await run({ temperature: 5, seed: 3 }), sampled);
    assert.not.equal(await run({ temperature: 5, seed: 4 }), sampled);
    const stop = sampled[5]!;
    assert.equal(await run({ temperature: 5, seed: 3, stop: [stop] }), sampled.slice(0, sampled.indexOf(stop)));
    const controller = new AbortController();
    const some: number[] = [];
    for await (const { token } of session.generate(sequence.slice(0, 9), {
      maxTokens: 50,
      signal: controller.signal,
    })) {
      some.push(token);
      if (some.length === 4) controller.abort();
    }
    assert.is(some.length, 4);
  }));

test("misuse is refused in words", async () => {
  await rejects(() => Session.load("nowhere"), "nowhere: there is no such folder\n  try: npm run compile");
  await rejects(() => Session.load("graphs"), "graphs: has no manifest.json: it is not a build");
  const session = await Session.load(cached, { threads: 1 });
  await rejects(() => session.prefill([]), "the prompt is empty: at least one token is needed");
  await rejects(() => session.prefill([1, 256]), "token 1 of the sequence is 256; the vocabulary has 0 to 255");
  await rejects(() => session.decode(-1), "token 0 of the sequence is -1");
  const first = session.prefill([1, 2, 3]);
  await rejects(() => session.decode(4), "the session is still running: await the earlier call first");
  await first;
  session.close();
  session.close();
  await rejects(() => session.prefill([1]), "the session is closed");
});

/** Asserts that a promise is rejected with a message that starts like this. */
async function rejects(run: () => Promise<unknown>, message: string): Promise<void> {
  const error = await run().then(
    () => undefined,
    (e: Error) => e,
  );
  assert.ok(error?.message.startsWith(message), `expected "${message}", got "${error?.message}"`);
}

test.run();
