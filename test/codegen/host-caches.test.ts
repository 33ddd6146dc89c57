import { test } from "uvu";
import * as assert from "uvu/assert";
import { hostCaches } from "../../src/codegen/host-caches.ts";
import {
  cachedAttention,
  elements,
  evaluate,
  flashCachedAttention,
  graph,
  input,
  kvAppend,
  type Node,
  reduceSum,
  topo,
  transpose,
} from "../../src/ir/index.ts";
import { withCaches } from "../../src/passes/support/caches.ts";
import { maxDifference, noise } from "./programs.ts";

const places = 8;
const dim = 4;

const sizeOf = (n: Node): number => elements(n.type.shape);

/** Attention over a cache that is appended to, for `rows` new tokens. */
function cached(heads: number, groups: number, rows: number, window: number, flash: boolean) {
  const q = input("q", "f32", heads, rows, dim);
  const position = input("position", "i32", 1);
  const k = input("k", "f32", groups, rows, dim);
  const kSlice = transpose(k, { perm: [0, 2, 1] });
  const vSlice = input("v", "f32", groups, rows, dim);
  const kCache = input("h0.k_cache", "f32", groups, dim, places);
  const vCache = input("h0.v_cache", "f32", groups, places, dim);
  const kNext = kvAppend(kCache, kSlice, position, { axis: 2, window });
  const vNext = kvAppend(vCache, vSlice, position, { axis: 1, window });
  const attrs = { scale: 0.5, window };
  const out = flash
    ? flashCachedAttention(q, kNext, vNext, position, { ...attrs, blockQ: 4, blockK: 4 })
    : cachedAttention(q, kNext, vNext, position, attrs);
  return graph("g", {
    inputs: [q, position, k, vSlice, kCache, vCache],
    outputs: [out],
    state: [
      { cache: kCache, next: kNext },
      { cache: vCache, next: vNext },
    ],
  });
}

for (const [heads, groups] of [
  [2, 2],
  [4, 2],
  [3, 1],
] as const)
  for (const rows of [1, 3, 8])
    for (const window of [0, 2, 5])
      test(`${heads} heads, ${groups} groups, ${rows} rows, window ${window}`, () => {
        const g = cached(heads, groups, rows, window, rows === 3);
        const { graph: host, caches } = hostCaches(g);
        for (const position of [0, 1, 4, places - rows].filter((p) => p >= 0 && p + rows <= places)) {
          const inputs = Object.fromEntries(
            g.inputs.map((n, i) => [n.name!, n.name === "position" ? Int32Array.of(position) : noise(sizeOf(n), i)]),
          );
          const expected = evaluate(g, { inputs });
          const actual = evaluate(host, { inputs });
          assert.ok(maxDifference(actual.outputs[0]!.data, expected.outputs[0]!.data) < 1e-5, `position ${position}`);
          // The caller's copy of the slice gives the cache that the graph would have written.
          for (const [i, { input: at, output }] of caches.entries()) {
            assert.is(g.inputs[at], g.state[i]!.cache);
            const written = evaluate(graph("g", { inputs: g.inputs, outputs: [g.state[i]!.next.inputs[1]!] }), {
              inputs,
            });
            assert.equal([...actual.outputs[output]!.data], [...written.outputs[0]!.data]);
          }
        }
      });

for (const rows of [1, 3])
  for (const [position, window] of [
    [0, 3],
    [5, 3],
    [7, 6],
    [8, 6],
    [37, 4],
  ] as const)
    test(`a ring: ${rows} rows at ${position}, window ${window}`, () => {
      const g = cached(4, 2, rows, window, rows === 3);
      const { graph: host, caches } = hostCaches(g);
      assert.ok(caches.every((c) => c.window === window));
      const inputs = Object.fromEntries(
        g.inputs.map((n, i) => [n.name!, n.name === "position" ? Int32Array.of(position) : noise(sizeOf(n), i)]),
      );
      const expected = evaluate(g, { inputs });
      assert.ok(maxDifference(evaluate(host, { inputs }).outputs[0]!.data, expected.outputs[0]!.data) < 1e-5);
    });

for (const [heads, groups] of [
  [2, 2],
  [4, 2],
] as const)
  test(`caches of integers, one row, ${heads} heads, ${groups} groups: ${heads === groups ? "scores" : "keys"} are joined`, () => {
    const encoding = { dtype: "i8", scale: Math.fround(1 / 100), offset: 0 } as const;
    const g = withCaches(cached(heads, groups, 1, 0, true), () => encoding);
    const { graph: host } = hostCaches(g);
    const ofOps = new Set(topo(host).map((n) => n.op));
    assert.is(ofOps.has(reduceSum), heads === groups, "the new token's scores are sums of products of elements");
    for (const position of [0, 1, 4, places - 1]) {
      const inputs = Object.fromEntries(
        g.inputs.map((n, i) => {
          if (n.name === "position") return [n.name, Int32Array.of(position)];
          const values = noise(sizeOf(n), i);
          return [n.name!, n.type.dtype === "i8" ? values.map((x) => Math.round(100 * x)) : values];
        }),
      );
      const [expected, actual] = [g, host].map((of) => evaluate(of, { inputs }).outputs[0]!.data);
      // Its own key and value are those from before they were rounded to steps of 1/100.
      assert.ok(maxDifference(actual!, expected!) < 0.01, `position ${position}`);
    }
  });

test("slices are called after their caches, and state is gone", () => {
  const { graph: host, caches } = hostCaches(cached(2, 2, 1, 0, true));
  assert.equal(
    host.outputs.slice(1).map((n) => n.name),
    ["h0.k_slice", "v"],
    "but for an input, which keeps its name",
  );
  assert.equal(caches, [
    { input: 4, output: 1, axis: 2, window: 0 },
    { input: 5, output: 2, axis: 1, window: 0 },
  ]);
  assert.equal(host.state, []);
});

test("a graph without state is left alone", () => {
  const x = input("x", "f32", 2);
  const g = graph("g", { inputs: [x], outputs: [x] });
  assert.is(hostCaches(g).graph, g);
});

test.run();
