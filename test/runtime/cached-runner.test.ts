/** The cache's bookkeeping on a model whose "keys" are the tokens themselves, so that every slip changes the result. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CachedRunner } from "../../src/runtime/cached-runner.ts";
import { type Entry, type EntryGraph, logitsOf } from "../../src/runtime/entry-graph.ts";
import { Counters } from "../../src/runtime/statistics.ts";

type Mode = "in-place" | "host";

/** K [2, 3, C] holds token * 10 + channel, V [2, C, 3] its negative. */
function entries(mode: Mode, contexts: readonly number[]): Entry[] {
  const port = (name: string, role: string, dtype: string, ...shape: number[]) => ({ name, role, dtype, shape });
  return contexts.flatMap((C) =>
    (["prefill", "decode"] as const).map((role) => {
      const T = role === "decode" ? 1 : Math.min(16, C);
      const host = mode === "host";
      return {
        name: `${role}-${C}`,
        role,
        graph: "",
        tokens: T,
        context: C,
        inputs: [
          port("tokens", "tokens", "i32", T),
          port("position", "position", "i32", 1),
          port("last", "last", "i32", 1),
          port("k", "cache", "f32", 2, 3, C),
          port("v", "cache", "f32", 2, C, 3),
        ],
        outputs: [
          port("logits", "logits", "f32", 1, 2),
          ...(host ? [port("k_slice", "slice", "f32", 2, 3, T), port("v_slice", "slice", "f32", 2, T, 3)] : []),
        ],
        state: [
          { cache: "k", axis: 2, mode, ...(host && { slice: "k_slice" }) },
          { cache: "v", axis: 1, mode, ...(host && { slice: "v_slice" }) },
        ],
        cost: { flops: 0, weightBytes: 0, activationBytes: 0, cacheBytes: 0 },
      } as Entry;
    }),
  );
}

const runs: string[] = [];

/** Appends, then answers with a checksum over what the last row can see. */
function fakeGraph(entry: Entry): EntryGraph {
  const C = entry.context;
  const T = entry.tokens;
  const inputs = { tokens: new Int32Array(T), position: new Int32Array(1), last: new Int32Array(1) };
  const sizes = entry.outputs.map((p) => [p.name, new Float32Array(p.shape.reduce((a, b) => a * b, 1))] as const);
  const outputs = Object.fromEntries(sizes);
  const floats = (b: Uint8Array) => new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4);
  const run = async (caches: Readonly<Record<string, Uint8Array>>) => {
    const [k, v] = [floats(caches.k!), floats(caches.v!)];
    const position = inputs.position[0]!;
    runs.push(`${entry.name}@${position}`);
    const last = position + inputs.last[0]!;
    assert.ok(position >= 0 && last < C, `row ${last} in ${entry.name}`);
    const inPlace = entry.state[0]!.mode === "in-place";
    const sums = [0, 0];
    const keyAt = (g: number, d: number, s: number): number =>
      s >= position && !inPlace ? inputs.tokens[s - position]! * 10 + d : k[(g * 3 + d) * C + s]!;
    for (let g = 0; g < 2; g++)
      for (let d = 0; d < 3; d++) {
        for (let t = 0; t < T; t++) {
          const value = inputs.tokens[t]! * 10 + d;
          if (!inPlace) {
            outputs.k_slice![(g * 3 + d) * T + t] = value;
            outputs.v_slice![(g * T + t) * 3 + d] = -value;
          } else if (position + t < C) {
            k[(g * 3 + d) * C + position + t] = value;
            v[(g * C + position + t) * 3 + d] = -value;
          }
        }
        for (let s = 0; s <= last; s++) {
          sums[0]! += (s + 1) * keyAt(g, d, s);
          if (s < position || inPlace)
            assert.is(v[(g * C + s) * 3 + d], -k[(g * 3 + d) * C + s]!, `V of position ${s}`);
        }
      }
    sums[1] = last;
    outputs.logits!.set(sums);
  };
  return { entry, inputs, outputs, run };
}

const expected = (tokens: readonly number[]): number[] => {
  let sum = 0;
  tokens.forEach((t, s) => {
    for (let d = 0; d < 3; d++) sum += 2 * (s + 1) * (t * 10 + d);
  });
  return [sum, tokens.length - 1];
};

/** @param us what an NPU was simulated to take for a chunk and for a step */
function create(
  mode: Mode,
  positions: number,
  contexts: readonly number[] = [32, 64],
  us?: { readonly prefill: number; readonly decode: number },
) {
  runs.length = 0;
  const graphs = new Map<Entry, EntryGraph>();
  const counters = new Counters();
  const get = async (entry: Entry) => {
    const graph = graphs.get(entry) ?? fakeGraph(entry);
    graphs.set(entry, graph);
    return graph;
  };
  const forgetCaches = () => {};
  const memory = {
    // Leftovers of earlier owners must not matter.
    allocate: (bytes: number) => new Float32Array(bytes / 4).fill(999).buffer,
    release: (buffer: ArrayBuffer) => void structuredClone(buffer, { transfer: [buffer] }),
  };
  const costed = (e: Entry) => ({ ...e, npu: { simulated: { us: us![e.role as "prefill"] } } }) as unknown as Entry;
  const all = entries(mode, contexts);
  return {
    runner: new CachedRunner(us ? all.map(costed) : all, { get, forgetCaches }, counters, positions, memory),
    counters,
  };
}
const text = (n: number, from = 1) => Array.from({ length: n }, (_, i) => ((i * 7 + from) % 50) + 1);

for (const mode of ["in-place", "host"] as const) {
  test(`${mode}: prompts of every length, then token by token across a bucket's edge`, async () => {
    for (let n = 1; n <= 60; n++) {
      const { runner, counters } = create(mode, 60);
      for (let m = n; m <= 60; m += m === n ? 1 : 5) {
        assert.equal([...(await runner.run(text(m)))], expected(text(m)), `${n} then ${m}`);
        assert.is(counters.cache.length, m);
      }
    }
  });

  test(`${mode}: growth keeps what is live and counts it`, async () => {
    const { runner, counters } = create(mode, 64);
    await runner.run(text(32));
    assert.equal(runs, ["prefill-32@0", "prefill-32@16"]);
    assert.is(counters.cache.bytes, 2 * 2 * 3 * 32 * 4);
    assert.equal([...(await runner.run(text(33)))], expected(text(33)));
    assert.equal(runs.slice(2), ["decode-64@32"]);
    assert.is(counters.cache.growths, 1);
    assert.is(counters.cache.bytes, 2 * 2 * 3 * 64 * 4);
    assert.is(counters.cache.peakBytes, 2 * 2 * 3 * 96 * 4);
  });

  test(`${mode}: a prompt that begins the same reuses what is there`, async () => {
    const { runner, counters } = create(mode, 64);
    await runner.run(text(20));
    const longer = [...text(20), 9, 8, 7, 6, 5];
    assert.equal([...(await runner.run(longer))], expected(longer));
    assert.is(counters.reusedTokens, 20);
    const other = [...text(10), 3, 3];
    assert.equal([...(await runner.run(other))], expected(other));
    assert.is(counters.reusedTokens, 30);
    assert.equal([...(await runner.run(other))], expected(other));
    assert.is(counters.reusedTokens, 41);
  });
}

test("a few tokens are decoded, more go in a chunk", async () => {
  const { runner, counters } = create("in-place", 64);
  await runner.run(text(16));
  await runner.run(text(17));
  await runner.run(text(19));
  assert.equal(runs, ["prefill-32@0", "decode-32@16", "prefill-32@17"]);
  assert.is(counters.computedTokens, 19);
});

test("where the costs of an NPU are known, tokens go in a chunk that would take longer one by one", async () => {
  const decoded = async (prefill: number) => {
    const { runner, counters } = create("host", 64, [32, 64], { prefill, decode: 5 });
    for (const n of [1, 3, 6, 10]) assert.equal([...(await runner.run(text(n)))], expected(text(n)));
    assert.is(counters.computedTokens, 10);
    return runs.map((run) => run.split("-")[0]![0]).join("");
  };
  assert.is(await decoded(12), "dddpp", "1, 2, 3 and 4 tokens");
  assert.is(await decoded(15.1), "ddddddp");
  assert.is(await decoded(3), "dppp", "one is a step whatever a chunk takes");
});

test("what a last chunk would hold is decoded where it is little", async () => {
  const { runner } = create("in-place", 64);
  await runner.run(text(17));
  assert.equal(runs, ["prefill-32@0", "decode-32@16"]);
});

test("reset forgets everything and goes back to the smallest bucket", async () => {
  const { runner, counters } = create("in-place", 64);
  await runner.run(text(50));
  runner.reset();
  assert.is(counters.cache.bytes, 0);
  assert.equal([...(await runner.run(text(5, 3)))], expected(text(5, 3)));
  assert.is(counters.reusedTokens, 0);
  assert.is(counters.cache.context, 32);
});

test("statistics count what a model without a cache would compute", async () => {
  const { runner, counters } = create("in-place", 64);
  await runner.run(text(10));
  for (let n = 11; n <= 20; n++) await runner.run(text(n));
  // 10 + 11 + ... + 20 tokens without a cache, 20 with one.
  const without = 165;
  assert.is(counters.snapshot().savedShare, (without - 20) / without);
});

test("logits in pieces of integers are joined and scaled", () => {
  const port = (name: string, size: number, offset: number) => ({
    ...{ name, role: "logits", dtype: "u16", shape: [1, size] },
    encoding: { scale: 0.5, offset },
  });
  const outputs = { "logits.0": Uint16Array.of(0, 10, 65535), "logits.1": Uint16Array.of(7), slice: new Uint8Array(2) };
  const slice = { name: "slice", role: "slice", dtype: "u8", shape: [2] };
  const entry = { outputs: [port("logits.0", 3, -10), port("logits.1", 1, -8), slice] } as unknown as Entry;
  assert.equal([...logitsOf({ entry, inputs: {}, outputs, run: async () => {} })], [-5, 0, (65535 - 10) / 2, -0.5]);
});

test.run();
