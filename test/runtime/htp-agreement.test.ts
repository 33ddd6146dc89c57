/**
 * The small trained model on Qualcomm's HTP simulator: in f16 every entry point against the interpreter, and text that grows across
 * the edge of a context against the reference backend; the same in w8a16 for one context. Skipped where the library is not installed.
 */
import { readFileSync } from "node:fs";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { openModel } from "../../src/cli/support/untouched.ts";
import { build, withSession } from "../support/builds.ts";
import { argmax, hasHtp, sqnr, withHtp } from "../support/htp.ts";

const test = hasHtp ? always : always.skip;
const weights = "test/fixtures/gpt2-bible";
const program = "gpt2-fa2-kv-fused";
const onHtp = () => build(program, { weights, target: "x-elite", precision: "f16", context: false });
const text = readFileSync(`${weights}/heldout.txt`, "utf8");

test("every entry point, against the interpreter", async () => {
  const model = await openModel(`graphs/${program}.ts`, { weights });
  const onReference = await build(program, { weights });
  const tokens = await withSession(onReference, async (s) => s.tokenizer.encode(text).slice(0, 41));
  const expected = [tokens.slice(0, 40), tokens].map((sequence) => model.logits(sequence));
  await withHtp(await onHtp(), async ({ entries, runner }) => {
    const tried = new Set<string>();
    for (const C of new Set(entries.map((e) => e.context))) {
      const pair = entries.filter((e) => e.context === C);
      const run = runner(pair);
      for (const [i, sequence] of [tokens.slice(0, 40), tokens].entries()) {
        const entry = pair.find((e) => e.role === (i === 0 ? "prefill" : "decode"))!;
        const ratio = sqnr(await run.run(sequence), expected[i]!);
        assert.ok(ratio > 40, `${entry.name}: ${ratio.toFixed(1)} dB`);
        tried.add(entry.name);
      }
      run.reset();
    }
    assert.is(tried.size, entries.length);
  });
});

test("48 tokens across the edge of a context are those of the reference backend", async () => {
  const onReference = await build(program, { weights, precision: "f16" });
  const { prompt, expected } = await withSession(onReference, async (session) => {
    const prompt = session.tokenizer.encode(text).slice(0, 50);
    const expected: number[] = [];
    for await (const { token } of session.generate(prompt, { maxTokens: 48, stop: [] })) expected.push(token);
    return { prompt, expected };
  });
  await withHtp(await onHtp(), async ({ entries, runner, counters }) => {
    const run = runner(entries);
    const sequence = [...prompt];
    for (let i = 0; i < 48; i++) sequence.push(argmax(await run.run(sequence)));
    assert.equal(sequence.slice(prompt.length), expected);
    assert.is(counters.cache.growths, 1, "from 64 places to 128");
    run.reset();
  });
});

test("w8a16: logits against the interpreter, and the reference backend's next tokens", async () => {
  const model = await openModel(`graphs/${program}.ts`, { weights });
  const onReference = await build(program, { weights, precision: "w8a16" });
  const { prompt, expected } = await withSession(onReference, async (session) => {
    const prompt = session.tokenizer.encode(text).slice(0, 40);
    const expected: number[] = [];
    for await (const { token } of session.generate(prompt, { maxTokens: 12, stop: [] })) expected.push(token);
    return { prompt, expected };
  });
  const onHtp = await build(program, { weights, target: "x-elite", precision: "w8a16", context: false });
  await withHtp(onHtp, async ({ entries, runner }) => {
    const run = runner(entries.filter((e) => e.context === 64));
    const sequence = [...prompt];
    for (const [i, next] of expected.entries()) {
      const logits = await run.run(sequence);
      if (i < 2) {
        const ratio = sqnr(logits, model.logits(sequence));
        assert.ok(ratio > 30, `after ${sequence.length} tokens: ${ratio.toFixed(1)} dB`);
      }
      assert.is(argmax(logits), next, `token ${i + 1}`);
      sequence.push(next);
    }
    run.reset();
  });
});

always.run();
