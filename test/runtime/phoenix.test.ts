/** A whole program on the simulated array: its products and attention there, the rest on the reference backend. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Session } from "../../src/runtime/session.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";

const highest = (logits: Float32Array): number => logits.reduce((best, x, i) => (x > logits[best]! ? i : best), 0);

/** Logits of every step of greedy decoding. */
async function greedy(session: Session, tokens: number): Promise<Float32Array[]> {
  const steps = [await session.prefill(promptOf(9))];
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
