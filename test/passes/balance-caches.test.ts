/** Channels of keys and values that differ by much: by what they are divided, and that attention does not see it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cacheTypesOf } from "../../src/cli/support/cache-types.ts";
import { CacheWatch, cacheBalanceOf } from "../../src/cli/support/calibration/caches.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { graph as makeGraph, topo } from "../../src/ir/graph.ts";
import { nodeNames } from "../../src/ir/print.ts";
import { type CachedHeads, cachedHeads } from "../../src/passes/balance-caches.ts";
import {
  balanceCaches,
  f16Weights,
  flashAttention,
  kvCache,
  mergeQkv,
  runPasses,
  simplify,
  splitLinears,
} from "../../src/passes/index.ts";
import { type CacheDivisors, cacheDivisors, isWorthMoving } from "../../src/passes/support/cache-divisors.ts";
import { liveOps } from "../../src/passes/support/static.ts";

const loaded = await loadProgram("graphs/gemma3-270m.ts");
const lowered = () => runPasses(loaded.build("tiny").module, [mergeQkv, simplify, flashAttention, kvCache]).module;
const gpt2 = await loadProgram("graphs/gpt2-fa2-kv-fused.ts");
const ofGpt2 = () => runPasses(gpt2.build("tiny").module, [...gpt2.passes, splitLinears]).module;

/** Divisors for all attentions of a graph, without a pattern. */
function divisorsOf(of: (channel: number) => CacheDivisors, { graph } = lowered()): Map<string, CacheDivisors> {
  const names = nodeNames(graph);
  return new Map(
    cachedHeads(graph).map(({ attention, keys }) => {
      const channels = Array.from(
        { length: (keys.type.shape[0] as number) * (keys.type.shape[1] as number) },
        (_, c) => c,
      );
      const found = channels.map(of);
      const origins = found.flatMap((d) => d.origins?.[0] ?? []);
      const divisors = { keys: found.map((d) => d.keys[0]!), values: found.map((d) => d.values[0]!) };
      return [names.get(attention)!, { ...divisors, ...(origins.length > 0 && { origins }) }];
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

test("values of a first token are taken from all where that costs little", () => {
  assert.ok(isWorthMoving([8, 8, 8, 8], [8.2, 8.1, 8.3, 8]));
  assert.not.ok(isWorthMoving([8, 8, 8, 8], [16, 12, 14, 15]));
});

for (const [what, of, hits] of [
  [
    "keys and values",
    (c: number) => ({ keys: [1 + (c % 5) / 3], values: [2 ** ((c % 3) - 1)] }),
    { "divide-keys": 3, "hold-values": 3 },
  ],
  ["keys alone", (c: number) => ({ keys: [2 ** (c % 5)], values: [1] }), { "divide-keys": 3 }],
  [
    "values less those of a first token",
    (c: number) => ({ keys: [1], values: [1], origins: [(c % 7) / 3 - 1] }),
    { "move-values": 3 },
  ],
  [
    "the same, divided",
    (c: number) => ({ keys: [1], values: [2 ** (c % 4)], origins: [(c % 7) / 3 - 1] }),
    { "hold-values": 3, "move-values": 3 },
  ],
  ["values alone", (c: number) => ({ keys: [1], values: [2 ** (c % 4)] }), { "hold-values": 3 }],
] as const)
  test(`${what}: the proof holds, caches and all`, () => {
    const { records } = runPasses(lowered(), [balanceCaches(divisorsOf(of))], { check: true });
    assert.equal(Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count])), hits);
  });

/** Each channel has divisors of its own, no two alike beside each other. */
const uneven = (c: number) => ({ keys: [1 + (c % 5) / 3], values: [1 + (c % 7) / 2] });

test("weights hold the factors of values: Gemma has an op for turned keys, queries and results", () => {
  const { module, records } = runPasses(lowered(), [balanceCaches(divisorsOf(uneven))], { check: true });
  assert.ok(records[0]!.proof);
  const layers = cachedHeads(module.graph).length;
  // Queries are multiplied and their scores no longer scaled.
  assert.is(liveOps(module.graph), liveOps(lowered().graph) + 3 * layers);
  const names = new Set(topo(module.graph).map((n) => n.name));
  assert.not.ok(names.has("h0.mixed.values"));
  const whole = topo(module.graph).find((n) => n.name === "h0.mixed.whole")!;
  assert.is(whole.inputs[0]!.op.name, "mergeHeads", "heads side by side");
});

test("GPT-2, whose keys are not turned, has an op for results alone", () => {
  const before = ofGpt2();
  const { module, records } = runPasses(before, [balanceCaches(divisorsOf(uneven, before))], { check: true });
  const layers = cachedHeads(before.graph).length;
  assert.equal(Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count])), {
    "hold-keys": layers,
    "hold-queries": layers,
    "hold-values": layers,
  });
  assert.is(liveOps(module.graph), liveOps(before.graph) + layers);
});

test("what others read too, or weights in fewer bits, hold nothing: ops do", () => {
  const whole = lowered();
  const { graph } = whole;
  const [{ values }] = cachedHeads(graph) as [CachedHeads];
  const outputs = [...graph.outputs, values.inputs[1]!.inputs[0]!];
  const read = { ...whole, graph: makeGraph(graph.name, { ...graph, outputs }) };
  const halved = runPasses(lowered(), [f16Weights]).module;
  for (const [module, hits] of [
    [read, { "divide-keys": 3, "divide-values": 1, "hold-values": 2 }],
    [halved, { "divide-keys": 3, "divide-values": 3 }],
  ] as const) {
    const { records } = runPasses(module, [balanceCaches(divisorsOf(uneven))], { check: true });
    assert.equal(Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count])), hits);
  }
});

test("ranges follow: what lies between is divided, and a product yields the one and the other", () => {
  const { graph } = lowered();
  const [[name, { keys, values }]] = [...divisorsOf(uneven)] as [[string, CacheDivisors]];
  const reaches = { queries: 3, keys: 5, values: 7 };
  const range = (reach: number) => ({ min: -reach, max: reach });
  const seen = { "h0.qkv": { min: -2, max: 90 }, "h0.mixed": range(20), "h0.merged": range(20) };
  const found = cacheBalanceOf(graph, { [name]: { keys, values, reaches } }, seen);
  assert.equal(found.values, {
    "h0.mixed.queries": range(3),
    "h0.mixed.keys": range(5),
    "h0.v": range(7),
    "h0.values": range(7),
    "h0.qkv": { min: -7, max: 90 },
    "h0.mixed": range(7),
    "h0.merged": range(7),
    "h0.mixed.whole": range(20),
  });
  // A tenth beyond what calibration saw.
  assert.equal(found.ranges.get(name), { keys: range(1.1 * 5), values: range(1.1 * 7) });
});

test("values of 16 bits are kept as they are, keys of 8 divided all the same", () => {
  const { graph } = lowered();
  const [[name, { keys, values }]] = [...divisorsOf(uneven)] as [[string, CacheDivisors]];
  const given = { [name]: { keys, values, origins: values, reaches: { queries: 3, keys: 5, values: 7 } } };
  const found = cacheBalanceOf(graph, given, {}, { keys: "i8", values: "u16" });
  assert.equal(Object.keys(found.values), ["h0.mixed.queries", "h0.mixed.keys"]);
  assert.equal(Object.keys(found.ranges.get(name)!), ["keys"]);
  const { records } = runPasses(lowered(), found.passes);
  assert.equal(Object.fromEntries(records[0]!.hits.map((h) => [h.rule, h.count])), { "divide-keys": 1 });
});

test("the NPU keeps values in 16 bits where heads share them, and nobody else does unasked", () => {
  const of = (target: string, { graph } = lowered()) => cacheTypesOf(undefined, { program: "p", graph, target });
  assert.equal(of("x-elite"), { keys: "i8", values: "u16" });
  assert.equal(of("x-elite", ofGpt2()), { keys: "i8", values: "i8" });
  for (const target of ["reference", "phoenix"]) assert.is(of(target), undefined);
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

/** What one attention of the graph hands to a watch: three rows whose values begin with `first`, far from the rest. */
function watched(graph: ReturnType<typeof lowered>["graph"], firsts: readonly number[]) {
  const watch = new CacheWatch(graph);
  const rows = 3;
  for (const first of firsts)
    watch.add(
      watch.wanted.map((n, i) => {
        const [a, b, c] = n.type.shape as [number, number, number];
        const [heads, dim] = i % 3 === 1 ? [a, b] : [a, c];
        return Array.from({ length: heads * rows * dim }, (_, at) =>
          i % 3 === 2 && Math.floor(at / dim) % rows === 0 ? first : at % 2 ? 1 : -1,
        );
      }),
    );
  return Object.values(watch.ranges(nodeNames(graph))!)[0]!;
}

test("calibration knows the values of a first token where all texts begin with the same", () => {
  const { graph } = lowered();
  const found = watched(graph, [0.125, 0.125]);
  assert.ok(found.origins!.every((o) => o === 0.125));
  assert.is(found.reaches.values, 1.125);
  assert.is(watched(graph, [0.125, 0.25]).origins, undefined, "texts begin differently");
  assert.is(watched(graph, [1, 1]).origins, undefined, "others would have half the steps");
});

test("origins of another number of channels are refused", () => {
  const few = new Map(
    [...divisorsOf(() => ({ keys: [1], values: [1] }))].map(([k, d]) => [k, { ...d, origins: [0.5] }]),
  );
  assert.throws(() => runPasses(lowered(), [balanceCaches(few)]), /%h0\.mixed[\s\S]*origins of 1/);
});

test.run();
