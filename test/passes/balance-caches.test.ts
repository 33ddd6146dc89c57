/** Channels of keys and values that differ by much: by what they are divided, and that attention does not see it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/load.ts";
import { topo } from "../../src/ir/graph.ts";
import { nodeNames } from "../../src/ir/print.ts";
import { type CacheDivisors, cacheDivisors, cachedHeads } from "../../src/passes/balance-caches.ts";
import { balanceCaches, flashAttention, kvCache, mergeQkv, runPasses, simplify } from "../../src/passes/index.ts";

const loaded = await loadProgram("graphs/gemma3-270m.ts");
const lowered = () => runPasses(loaded.build("tiny").module, [mergeQkv, simplify, flashAttention, kvCache]).module;

/** Divisors for all attentions of a graph, without a pattern. */
function divisorsOf(of: (channel: number) => CacheDivisors): Map<string, CacheDivisors> {
  const { graph } = lowered();
  const names = nodeNames(graph);
  return new Map(
    cachedHeads(graph).map(({ attention, keys }) => {
      const channels = Array.from(
        { length: (keys.type.shape[0] as number) * (keys.type.shape[1] as number) },
        (_, c) => c,
      );
      const found = channels.map(of);
      return [names.get(attention)!, { keys: found.map((d) => d.keys[0]!), values: found.map((d) => d.values[0]!) }];
    }),
  );
}

test("divisors are what a channel reaches beside the middle one, small ones too", () => {
  assert.equal(cacheDivisors([1, 1, 1, 1, 33]), [1, 1, 1, 1, 33]);
  assert.equal(cacheDivisors([4, 4, 1, 4, 400]), [1, 1, 0.25, 1, 100]);
  assert.equal(
    cacheDivisors([8, 0, 8, 8, 800]),
    [1, 2 ** -5, 1, 1, 100],
    "a channel of nothing is not divided by nothing",
  );
});

test("what gains little is left alone", () => {
  assert.equal(cacheDivisors([1, 1.3, 0.8, 1, 1.4]), [1, 1, 1, 1, 1]);
  assert.equal(cacheDivisors([0, 0, 0, 0, 5]), [1, 1, 1, 1, 1]);
  assert.equal(
    cacheDivisors([1, 1, 1, 1, 32], [0, 0, 0, 0, 1]),
    [1, 1, 1, 1, 1],
    "finer steps where nothing is multiplied",
  );
});

for (const [what, of, hits] of [
  [
    "keys and values",
    (c: number) => ({ keys: [1 + (c % 5) / 3], values: [2 ** ((c % 3) - 1)] }),
    { "divide-keys": 3, "divide-values": 3 },
  ],
  ["keys alone", (c: number) => ({ keys: [2 ** (c % 5)], values: [1] }), { "divide-keys": 3 }],
  ["values alone", (c: number) => ({ keys: [1], values: [2 ** (c % 4)] }), { "divide-values": 3 }],
] as const)
  test(`${what}: the proof holds, caches and all`, () => {
    const { records } = runPasses(lowered(), [balanceCaches(divisorsOf(of))], { check: true });
    assert.equal(Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count])), hits);
  });

test("divisors of another number of channels are refused", () => {
  const few = new Map([...divisorsOf(() => ({ keys: [2], values: [1] }))].map(([k, d]) => [k, { ...d, keys: [2, 2] }]));
  assert.throws(
    () => runPasses(lowered(), [balanceCaches(few)]),
    /%h0\.mixed[\s\S]*has \d+ channels of keys and of values; divisors are of 2 and \d+[\s\S]*calibrate again/,
  );
});

test("keys are divided while their channels lie beside each other, and queries take the scale along", () => {
  const { graph } = runPasses(lowered(), [balanceCaches(divisorsOf(() => ({ keys: [2], values: [1] })))]).module;
  for (const { attention, keys } of cachedHeads(graph)) {
    assert.is(attention.attrs.scale, 1);
    const slice = keys.inputs[1]!;
    assert.is(slice.op.name, "transpose");
    assert.is(slice.inputs[0]!.op.name, "mul");
  }
  const names = new Set(topo(graph).map((n) => n.name));
  for (const part of ["queries", "keys"]) assert.ok(names.has(`h0.mixed.${part}`), part);
});

test.run();
