/** A whole program on the simulated array: its products and attention there, the rest on the reference backend. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Session } from "../../src/runtime/session.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";

const highest = (logits: Float32Array): number => logits.reduce((best, x, i) => (x > logits[best]! ? i : best), 0);

/** Logits of every step of greedy decoding. */
async function greedy(
  session: Session,
  tokens: number,
  prompt: readonly number[] = promptOf(9),
): Promise<Float32Array[]> {
  const steps = [await session.prefill(prompt)];
  while (steps.length < tokens) steps.push(await session.decode(highest(steps.at(-1)!)));
  return steps;
}

test("gpt2-fa2-kv-fused: 32 greedy tokens as on the reference backend, logits within 2%", async () => {
  const name = "gpt2-fa2-kv-fused";
  const [array, reference] = [await build(name, { config: "tiny", target: "phoenix" }), await build(name)];
  const [ours, theirs] = [
    await withSession(array, (s) => greedy(s, 32)),
    await withSession(reference, (s) => greedy(s, 32)),
  ];
  assert.equal(ours.map(highest), theirs.map(highest));
  const size = Math.max(...theirs.flatMap((l) => [...l].map(Math.abs)));
  for (const [i, logits] of ours.entries()) {
    const error = largestDifference(logits, theirs[i]!);
    assert.ok(error > 0 && error < 0.02 * size, `step ${i}: ${error} of ${size}`);
  }
});

test("the same program for strix: eight columns, blocks of 4x8x8", async () => {
  const name = "gpt2-fa2-kv-fused";
  const [array, reference] = [await build(name, { config: "tiny", target: "strix" }), await build(name)];
  const [ours, theirs] = [
    await withSession(array, (s) => greedy(s, 8)),
    await withSession(reference, (s) => greedy(s, 8)),
  ];
  assert.equal(ours.map(highest), theirs.map(highest));
  const size = Math.max(...theirs.flatMap((l) => [...l].map(Math.abs)));
  for (const [i, logits] of ours.entries()) {
    const error = largestDifference(logits, theirs[i]!);
    assert.ok(error > 0 && error < 0.02 * size, `step ${i}: ${error} of ${size}`);
  }
});

/** How far the highest logit lies above the next. */
const lead = (logits: Float32Array): number => {
  const [first, second] = [...logits].sort((a, b) => b - a);
  return first! - second!;
};

test("a trained GPT-2: 32 greedy tokens, most of them different, as on the reference backend; no choice is closer than the logits are", async () => {
  const name = "gpt2-fa2-kv-fused";
  const weights = "test/fixtures/gpt2-bible";
  const [array, reference] = [await build(name, { weights, target: "phoenix" }), await build(name, { weights })];
  const run = (s: Session) => greedy(s, 32, s.tokenizer.encode("And he said, When ye do the office"));
  const [ours, theirs] = [await withSession(array, run), await withSession(reference, run)];
  const tokens = theirs.map(highest);
  assert.equal(ours.map(highest), tokens);
  assert.ok(new Set(tokens).size > 16, `${new Set(tokens).size} different tokens`);
  const error = Math.max(...ours.map((logits, i) => largestDifference(logits, theirs[i]!)));
  const closest = Math.min(...theirs.map(lead));
  // Two logits that both move by less than half of what lies between them keep their order.
  assert.ok(
    error > 0 && 2 * error < closest,
    `logits differ by up to ${error}; the closest choice is one by ${closest}`,
  );
  process.stdout.write(
    `  logits differ by up to ${error.toFixed(3)}; the closest choice is one by ${closest.toFixed(3)}\n`,
  );
});

test("gemma3-270m: grouped heads, windows in rings; logits within 2%", async () => {
  const name = "gemma3-270m";
  const [array, reference] = [await build(name, { config: "tiny", target: "phoenix" }), await build(name)];
  // The third step goes round the ring of 192 places.
  const steps = (s: Session) =>
    s.prefill(promptOf(190)).then(async (first) => [first, await s.decode(7), await s.decode(9), await s.decode(3)]);
  const [ours, theirs] = [await withSession(array, steps), await withSession(reference, steps)];
  const size = Math.max(...theirs.flatMap((l) => [...l].map(Math.abs)));
  for (const [i, logits] of ours.entries()) {
    const error = largestDifference(logits, theirs[i]!);
    assert.ok(error > 0 && error < 0.02 * size, `step ${i}: ${error} of ${size}`);
  }
});

test.run();
