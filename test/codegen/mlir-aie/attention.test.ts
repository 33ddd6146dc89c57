/** Attention in the simulator of the array, against the interpreter. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { panelsOf, planAttention } from "../../../src/codegen/mlir-aie/kernels/attention.ts";
import { attentionKernel } from "../../../src/codegen/mlir-aie/kernels/attention-design.ts";
import { attention, cachedAttention, evaluate, graph, input } from "../../../src/ir/index.ts";
import type { AieMachine } from "../../../src/targets/aie-machine.ts";
import { phoenix, strix } from "./kernels.ts";
import { random, relativeError, runKernel } from "./run.ts";

interface Sizes {
  readonly heads: number;
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly dim: number;
  readonly window?: number;
}

/** Operands and weights of the products are bf16, of 8 bits, as the result is: 2^-9 each, and a few of them in a row. */
const bound = 2 ** -6;

function check({ heads, groups, queries, keys, dim, window = 0 }: Sizes, machine: AieMachine, position?: number): void {
  const cached = position !== undefined;
  const scale = 1 / Math.sqrt(dim);
  const plan = attentionKernel(
    machine,
    { heads, groups, queries, keys, dim, window, scale, cached },
    { name: "attention", about: [] },
  );
  const [q, k, v] = [
    random([heads, queries, dim], 1),
    random(cached ? [groups, dim, keys] : [groups, keys, dim], 2),
    random([groups, keys, dim], 3),
  ];
  for (const t of [q, k]) for (let i = 0; i < t.data.length; i++) t.data[i]! *= 2;
  const at = { shape: [1], data: Int32Array.of(position ?? 0) };
  const nodes = [q, k, v].map((t, i) => input("qkv"[i]!, "f32", ...t.shape));
  const place = input("position", "i32", 1);
  const [qn, kn, vn] = nodes as [(typeof nodes)[0], (typeof nodes)[0], (typeof nodes)[0]];
  const out = cached ? cachedAttention(qn, kn, vn, place, { scale, window }) : attention(qn, kn, vn, { scale, window });
  const inputs = { q: q.data, k: k.data, v: v.data, ...(cached && { position: at.data }) };
  const g = graph("g", { inputs: cached ? [...nodes, place] : nodes, outputs: [out] });
  const expected = evaluate(g, { inputs }).outputs[0]!;
  const ran = runKernel(plan, [q, k, v, at], expected.shape);
  const error = relativeError(ran.out, expected.data);
  assert.ok(error <= bound, `relative error ${error}`);
}

const prefill: Readonly<Record<string, Sizes>> = {
  "a head per column": { heads: 2, groups: 2, queries: 24, keys: 24, dim: 32 },
  "more keys than queries": { heads: 4, groups: 4, queries: 20, keys: 50, dim: 64 },
  "heads that share keys, size 256": { heads: 4, groups: 1, queries: 20, keys: 20, dim: 256 },
  "a window": { heads: 2, groups: 1, queries: 40, keys: 40, dim: 64, window: 16 },
  "sixteen heads that share keys": { heads: 16, groups: 1, queries: 9, keys: 20, dim: 64 },
  "two heads that share keys": { heads: 8, groups: 4, queries: 30, keys: 30, dim: 32 },
  "one query": { heads: 2, groups: 2, queries: 1, keys: 33, dim: 64 },
};
for (const machine of [phoenix, strix])
  for (const [name, sizes] of Object.entries(prefill))
    test(`attention on ${machine.device}: ${name}, within ${bound} of the largest result`, () => check(sizes, machine));

const decode: Readonly<Record<string, readonly [Sizes, number]>> = {
  "a step": [{ heads: 2, groups: 2, queries: 1, keys: 64, dim: 32 }, 37],
  "a step at the end of the cache": [{ heads: 12, groups: 12, queries: 1, keys: 128, dim: 64 }, 127],
  "grouped heads, size 256": [{ heads: 4, groups: 1, queries: 1, keys: 128, dim: 256 }, 100],
  "a window in a cache that holds no more": [{ heads: 4, groups: 2, queries: 8, keys: 64, dim: 64, window: 60 }, 50],
  "a ring that is not full": [{ heads: 4, groups: 2, queries: 1, keys: 128, dim: 64, window: 32 }, 90],
  "a ring that is full": [{ heads: 4, groups: 1, queries: 1, keys: 64, dim: 64, window: 40 }, 150],
  "a chunk across the end of a ring": [{ heads: 2, groups: 1, queries: 16, keys: 64, dim: 64, window: 40 }, 120],
  "a chunk across the end of a ring for the first time": [
    { heads: 2, groups: 2, queries: 16, keys: 64, dim: 64, window: 40 },
    56,
  ],
  "a chunk behind what is there": [{ heads: 2, groups: 2, queries: 16, keys: 64, dim: 32 }, 21],
};
for (const machine of [phoenix, strix])
  for (const [name, [sizes, position]] of Object.entries(decode))
    test(`attention over a cache on ${machine.device}: ${name}, within ${bound} of the largest result`, () =>
      check(sizes, machine, position));

test("panels of keys that are masked for all queries of a block are not read", () => {
  const shape = { heads: 12, groups: 12, queries: 512, keys: 512, dim: 64, scale: 0.125, window: 0, cached: false };
  const t = planAttention(phoenix, shape);
  const counts = Array.from({ length: t.blocks }, (_, i) => panelsOf(t, i).count);
  assert.is(counts[0], 1);
  assert.ok(counts.every((c, i) => i === 0 || c > counts[i - 1]!));
});

test("scores that never leave a core save at least two thirds of the traffic with main memory", () => {
  const { heads, queries, keys, dim } = { heads: 12, queries: 512, keys: 512, dim: 64 };
  const shape = { heads, groups: heads, queries, keys, dim, scale: 0.125, window: 0, cached: false };
  const { bytes } = planAttention(phoenix, shape).cost;
  // Layer by layer in bf16: scores are written, read and written by a softmax, and read again.
  const scores = 2 * heads * queries * keys;
  const layers = 4 * scores + 4 * 2 * heads * queries * dim;
  assert.ok(layers > 3 * bytes, `${layers} and ${bytes} bytes`);
});

test("heads that do not fit the blocks of the matrix unit are refused", () => {
  const shape = { heads: 6, groups: 2, queries: 8, keys: 8, dim: 64, scale: 1, window: 0, cached: false };
  assert.throws(() => planAttention(phoenix, shape), /3 heads share their keys.*\n {2}try: repeat keys and values/s);
  assert.throws(() => planAttention(phoenix, { ...shape, heads: 2, dim: 40 }), /size 40 is not a multiple of 16/);
  assert.throws(() => planAttention(strix, shape), /a block of the matrix unit has 8 rows/);
});

test.run();
