/** Sessions that end early, fail in between, or come and go; and one that is used at random. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Session } from "../../src/runtime/session.ts";
import { build, largestDifference, withSession } from "../support/builds.ts";
import { tempFolder } from "../support/temp.ts";

const folder = await build("gpt2-fa2-kv-fused");

test("a consumer that stops early leaves a session that can be used and closed", () =>
  withSession(folder, async (session) => {
    for await (const _ of session.generate("begin", { maxTokens: 50 })) break;
    assert.is(session.tokens.length, 5);
    const stream = session.generate("again", { maxTokens: 50 });
    await stream.next();
    const next = stream.next();
    assert.throws(() => session.close(), "the session is still running");
    await next;
    await stream.return();
    assert.is((await session.prefill([1, 2, 3])).length, 256);
  }));

test("an abort before the start costs nothing; a bad number of tokens is refused", () =>
  withSession(folder, async (session) => {
    for await (const _ of session.generate("begin", { signal: AbortSignal.abort() })) assert.unreachable();
    assert.is(session.stats().computedTokens, 0);
    for (const maxTokens of [-1, 1.5, Number.NaN]) {
      const error = await session
        .generate("begin", { maxTokens })
        .next()
        .catch((e: Error) => e);
      assert.match(String(error), `maxTokens must be a whole number, 0 or more, not ${maxTokens}`);
    }
  }));

test("at random: what a session answers never depends on what it did before", () =>
  withSession(
    folder,
    async (session) => {
      let seed = 7;
      const random = (n: number) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
        return (seed >>> 8) % n;
      };
      for (let i = 0; i < 60; i++) {
        const known = session.tokens;
        const action = random(5);
        let logits: Float32Array;
        if (action === 0) session.reset();
        if (action <= 2 || known.length === 0) {
          const kept = known.slice(0, random(known.length + 1));
          const more = Array.from({ length: 1 + random(150) }, () => random(256));
          logits = await session.prefill([...kept, ...more]);
        } else logits = await session.decode(random(256));
        const fresh = await withSession(folder, (other) => other.prefill(session.tokens));
        const difference = largestDifference(logits, fresh);
        assert.ok(difference < 1e-5, `step ${i}: differs by ${difference} after ${session.tokens.length} tokens`);
      }
      assert.ok(session.stats().slides > 5 && session.stats().cache.growths > 2);
    },
    { overflow: "slide" },
  ));

test("a graph that could not be built is tried again", async () => {
  const copy = join(tempFolder(), "copy");
  cpSync(folder, copy, { recursive: true });
  const file = join(copy, "qnn", "decode-64.qnn.json");
  const sound = readFileSync(file);
  await withSession(copy, async (session) => {
    writeFileSync(file, "{}");
    const error = await session.prefill([1]).catch((e: Error) => e);
    assert.match(String(error), "decode-64.qnn.json");
    writeFileSync(file, sound);
    assert.is((await session.prefill([1])).length, 256);
    assert.equal(session.stats().entries, ["decode-64"]);
  });
});

test("memory comes back when a session is closed", async () => {
  const cycle = async () => {
    const session = await Session.load(folder, { threads: 2 });
    for await (const _ of session.generate(Array(90).fill(7), { maxTokens: 3 }));
    session.close();
  };
  for (let i = 0; i < 5; i++) await cycle();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 20; i++) await cycle();
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20;
  assert.ok(grown < 40, `20 sessions later the process is ${grown.toFixed(1)} MB larger`);
});

test.run();
