/** Tiles change how attention is computed, not what: the tiled ops equal the plain ones for every ragged length. */
import { test } from "uvu";
import { attention, cachedAttention, flashAttention, flashCachedAttention } from "../../src/ir/index.ts";
import { attentionBy, cacheNodes, operandsOf, type Problem, rowNodes, transposedKeys } from "./examples/attention.ts";
import { assertNear, compute } from "./examples/example.ts";

const sizes = { heads: 4, groups: 2, dim: 4 };
const lengths = [1, 2, 63, 64, 65, 127, 128, 129, 200];

for (const length of lengths)
  for (const extra of [0, 1, 64])
    for (const window of [0, 1, 50])
      test(`flashAttention: ${length} queries, ${length + extra} keys, window ${window}`, () => {
        const p: Problem = { ...sizes, queries: length, keys: length + extra, window };
        const attrs = { scale: 0.5, window };
        const plain = compute(attention(...rowNodes(p), attrs), operandsOf(p));
        assertNear(compute(flashAttention(...rowNodes(p), attrs), operandsOf(p)), plain, 1e-12);
        if (length < 70) assertNear(plain, attentionBy(p, 0.5), 1e-12, "attention by definition");
      });

for (const [blockQ, blockK] of [
  [1, 1],
  [16, 64],
  [64, 16],
  [128, 128],
] as const)
  test(`flashAttention: blocks of ${blockQ} queries and ${blockK} keys`, () => {
    for (const causal of [true, false]) {
      const p: Problem = { ...sizes, queries: 40, keys: 67, causal };
      const plain = compute(attention(...rowNodes(p), { scale: 0.5, causal }), operandsOf(p));
      assertNear(
        compute(flashAttention(...rowNodes(p), { scale: 0.5, causal, blockQ, blockK }), operandsOf(p)),
        plain,
        1e-12,
      );
    }
  });

for (const [queries, position, places] of [
  [1, 0, 64],
  [1, 63, 64],
  [1, 64, 128],
  [1, 128, 256],
  [63, 1, 64],
  [64, 0, 64],
  [65, 63, 128],
  [127, 0, 200],
  [128, 129, 257],
] as const)
  for (const window of [0, 3, 64])
    for (const groups of [1, 2, 4])
      test(`flashCachedAttention: ${queries} queries at ${position} of ${places}, window ${window}, ${groups} groups`, () => {
        const p: Problem = { heads: 4, groups, dim: 3, queries, keys: places, position, window };
        const { q, k, v } = operandsOf(p);
        const inputs = { q, k: transposedKeys(p, k), v, position: [position] };
        const attrs = { scale: 0.5, window };
        const plain = compute(cachedAttention(...cacheNodes(p), attrs), inputs);
        assertNear(compute(flashCachedAttention(...cacheNodes(p), attrs), inputs), plain, 1e-12);
        if (queries < 64) assertNear(plain, attentionBy(p, 0.5), 1e-12, "attention by definition");
      });

test("scores of any size stay finite in f32", () => {
  const p: Problem = { ...sizes, queries: 70, keys: 70, window: 5 };
  const { q, k, v } = operandsOf(p);
  const inputs = { q: q.map((x) => x * 1e4), k: k.map((x) => x * 1e4), v };
  const attrs = { scale: 1, window: 5 };
  const plain = compute(attention(...rowNodes(p), attrs), inputs, "f32");
  assertNear(compute(flashAttention(...rowNodes(p), attrs), inputs, "f32"), plain, 1e-5);
});

test.run();
