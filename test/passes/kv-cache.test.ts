/** kv-cache on models other than GPT-2, in other orders, and what it refuses. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/index.ts";
import {
  add,
  attention,
  cast,
  constant,
  cos,
  type Dim,
  gather,
  graph,
  HeddleError,
  input,
  iota,
  linear,
  type Module,
  matmul,
  mergeHeads,
  mul,
  type Node,
  param,
  reshape,
  rmsNorm,
  rope,
  silu,
  sin,
  slice,
  softmax,
  splitHeads,
  sym,
  topo,
  transpose,
} from "../../src/ir/index.ts";
import { contextBuckets, forwardEntries } from "../../src/passes/entries.ts";
import {
  f16Weights,
  flashAttention,
  foldNorm,
  fuseMlp,
  fuseResidual,
  kvCache,
  mergeQkv,
  type Pass,
  runPasses,
  simplify,
} from "../../src/passes/index.ts";
import { isStatic } from "../../src/passes/support/static.ts";

const weight = (name: string, ...shape: number[]) => param({ name, dtype: "f32", shape });
const [width, heads, groups, dim] = [12, 4, 2, 6];

/** Angles of every position: position x frequency, [T, dim / 2]. */
function angles(T: Dim): Node {
  const places = reshape(cast(iota({ length: T }), { dtype: "f32" }), { shape: [T, 1] });
  return mul(places, constant({ dtype: "f32", shape: [1, dim / 2], values: [1, 0.2, 0.04] }));
}

/** A block as Llama and Gemma have it: RMS norms, grouped heads with a norm each, rotary positions, a window, a gated MLP, no biases. */
function block(x: Node, T: Dim, name: string, window: number): Node {
  const norm = (y: Node, part: string) => rmsNorm(y, weight(`${name}.${part}`, y.type.shape.at(-1) as number));
  const project = (y: Node, part: string, out: number) =>
    linear(y, weight(`${name}.${part}`, out, y.type.shape.at(-1) as number));
  const turn = (y: Node) => rope(y, cos(angles(T)), sin(angles(T)));
  const read = norm(x, "norm");
  const q = turn(norm(splitHeads(project(read, "q", heads * dim), { heads }), "q_norm"));
  const k = turn(norm(splitHeads(project(read, "k", groups * dim), { heads: groups }), "k_norm"));
  const v = splitHeads(project(read, "v", groups * dim), { heads: groups });
  const mixed = attention(q, k, v, { scale: 0.4, window });
  const attended = add(x, project(mergeHeads(mixed), "o", width));
  const second = norm(attended, "norm2");
  const gated = mul(silu(project(second, "gate", 20)), project(second, "up", 20));
  return add(attended, project(gated, "down", width));
}

function grouped(): Module {
  const T = sym("T", 1, 160);
  const tokens = input("tokens", "i32", T);
  const table = weight("embed", 50, width);
  const x = block(block(gather(table, tokens), T, "l0", 9), T, "l1", 0);
  return {
    graph: graph("grouped", { inputs: [tokens], outputs: [linear(rmsNorm(x, weight("last", width)), table)] }),
    entries: [],
  };
}

/** How many of each op run at each execution. */
const ops = (m: Module): string => {
  const counts = new Map<string, number>();
  for (const n of topo(m.graph).filter((n) => !isStatic(n))) counts.set(n.op.name, (counts.get(n.op.name) ?? 0) + 1);
  return [...counts]
    .sort()
    .map((e) => e.join(" "))
    .join(", ");
};

test("grouped heads, rotary positions, a window: every pass is right", () => {
  const { module, records } = runPasses(grouped(), [mergeQkv, simplify, flashAttention, kvCache, f16Weights], {
    check: true,
  });
  assert.is(records[0]!.hits[0]!.count, 2, "projections merge through norms and rotary positions");
  assert.match(ops(module), "flashCachedAttention 2");
  assert.equal(
    module.graph.inputs.map((n) => n.name),
    ["tokens", "position", "last", "h0.k_cache", "h0.v_cache", "h1.k_cache", "h1.v_cache"],
  );
  const [k, v] = module.graph.state.map((s) => s.cache.type.shape.map((d) => (typeof d === "number" ? d : d.sym)));
  assert.equal(k, [groups, dim, "R9"], "a window of 9 needs no more than a ring");
  assert.equal(v, [groups, "R9", dim]);
});

const orders: Record<string, Pass[]> = {
  "the usual order": [mergeQkv, simplify, foldNorm, fuseMlp, fuseResidual, flashAttention, kvCache],
  "cache first": [kvCache, mergeQkv, simplify, foldNorm, fuseMlp, fuseResidual, flashAttention],
  "attention first": [flashAttention, fuseMlp, kvCache, fuseResidual, foldNorm, mergeQkv, simplify],
};

test("the order of passes does not matter", async () => {
  const program = await loadProgram("graphs/gpt2-baseline.ts");
  const counts = Object.entries(orders).map(([name, order]) => {
    const { module } = runPasses(program.build("tiny").module, order, { check: { sizes: { T: 6, C: 64 } } });
    return [name, ops(module)];
  });
  for (const [name, count] of counts) assert.is(count, counts[0]![1], name);
});

test("contexts are 256, 512, 1024, 2048 up to the positions rounded up; small models start at 64", () => {
  assert.equal(contextBuckets(128), [64, 128]);
  assert.equal(contextBuckets(100), [64, 128]);
  assert.equal(contextBuckets(256), [256]);
  assert.equal(contextBuckets(300), [256, 512]);
  assert.equal(contextBuckets(1024), [256, 512, 1024]);
  assert.equal(contextBuckets(32768), [256, 512, 1024, 2048]);
  assert.equal(contextBuckets(1024, 64), [64, 128, 256, 512, 1024], "a target may ask for small ones too");
});

test("lengths without a cache end with the positions, each once", () => {
  const names = (positions: number) => forwardEntries(positions).map((e) => e.bind.T);
  assert.equal(names(1), [1]);
  assert.equal(names(100), [64, 100]);
  assert.equal(names(2048), [64, 128, 256, 512, 1024, 2048]);
  assert.equal(names(32768), names(2048));
});

test("models of any number of positions: entry points fit them, and the cache is right", async () => {
  const program = await loadProgram("graphs/gpt2-fa2-kv.ts");
  const json = { model_type: "gpt2", activation_function: "gelu_new", n_embd: 8, n_head: 2, n_layer: 1, vocab_size: 9 };
  for (const [positions, prefill] of [
    [2, { T: 2, C: 64 }],
    [48, { T: 48, C: 64 }],
    [100, { T: 100, C: 128 }],
    [300, { T: 128, C: 512 }],
  ] as const) {
    const { module } = program.build({ checkpoint: { ...json, n_positions: positions } });
    const { entries } = runPasses(module, program.passes, { check: true }).module;
    assert.equal(entries.at(-2)!.bind, prefill);
  }
});

const refusal = (output: (x: Node) => Node): string => {
  const tokens = input("tokens", "i32", sym("T", 1, 64));
  const g = graph("odd", { inputs: [tokens], outputs: [output(gather(weight("table", 9, 6), tokens))] });
  try {
    runPasses({ graph: g, entries: [] }, [kvCache]);
  } catch (e) {
    assert.instance(e, HeddleError);
    return (e as Error).message;
  }
  return assert.unreachable("it was accepted") as never;
};
const heads1 = (x: Node) => splitHeads(x, { heads: 2 });

test("what cannot be run a few tokens at a time is refused, by op", () => {
  assert.match(
    refusal((x) => matmul(softmax(matmul(x, x, { transposeB: true })), x)),
    /^matmul: pass kv-cache: mixes tokens, so it cannot be run a few tokens at a time\n {2}try: attention for what looks/,
  );
  assert.match(
    refusal((x) => attention(heads1(x), heads1(x), heads1(x), { scale: 1, causal: false })),
    /^attention: pass kv-cache: looks at later tokens/,
  );
  assert.match(
    refusal((x) => softmax(x, { axis: 0 })),
    /^softmax: pass kv-cache: mixes tokens/,
  );
  assert.match(
    refusal((x) => add(x, slice(weight("places", 64, 6), { axis: 0, start: 0, size: x.type.shape[0]! }))),
    /^slice: pass kv-cache: mixes tokens.*iota for their places/s,
  );
  assert.match(
    refusal((x) => reshape(x, { shape: [6, x.type.shape[0]!] })),
    /^reshape: pass kv-cache: mixes tokens/,
  );
  assert.match(
    refusal((x) => x),
    /^graph @odd: pass kv-cache: has no attention to cache/,
  );
});

test("tables looked up along an axis counted from the end, and activations in f16", () => {
  const T = sym("T", 1, 160);
  const tokens = input("tokens", "i32", T);
  const half = (name: string, ...shape: number[]) => cast(weight(name, ...shape), { dtype: "f16" });
  const places = gather(half("places", 160, width), iota({ length: T }), { axis: -2, dtype: "f16" });
  const x = add(gather(half("embed", 50, width), tokens, { axis: -2, dtype: "f16" }), places);
  const split = reshape(linear(x, half("qkv", heads * 3, width)), { shape: [T, heads, 3] });
  const h = transpose(split, { perm: [1, 0, 2] });
  const mixed = mergeHeads(attention(h, h, h, { scale: 0.5 }));
  const y = add(linear(mixed, half("o", width, heads * 3)), half("shift", width));
  const module: Module = { graph: graph("half", { inputs: [tokens], outputs: [y] }), entries: [] };
  const { graph: after } = runPasses(module, [kvCache], { check: { tolerance: { f64: 5e-3, f32: 5e-3 } } }).module;
  assert.is(after.outputs[0]!.type.dtype, "f16");
  assert.is(after.outputs[0]!.op, add, "the row is picked before the last op");
});

test("a second cache is refused", () => {
  const { module } = runPasses(grouped(), [kvCache]);
  assert.throws(() => runPasses(module, [kvCache]), /graph @grouped: pass kv-cache: has a cache already/);
});

test("the head, and the last block's projections and MLP, run for one row only", () => {
  const { module } = runPasses(grouped(), [kvCache]);
  const linears = topo(module.graph).filter((n) => n.op === linear);
  const oneRow = linears.filter((n) => n.type.shape[0] === 1);
  assert.is(oneRow.length, 5, "o, gate, up, down of the last block and the head");
});

test.run();
