/** What the passes make of Gemma 3: grouped heads, norms and angles between product and attention, two kinds of layers. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gemma3 } from "../../graphs/models/gemma3.ts";
import { sizes } from "../../graphs/models/gemma3-config.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { cast, inputOp, linear, type Module, mapGraph, topo } from "../../src/ir/index.ts";
import * as passes from "../../src/passes/index.ts";
import { isStatic } from "../../src/passes/support/static.ts";

const { flashAttention, foldNorm, fuseMlp, fuseResidual, kvCache, mergeQkv, runPasses, simplify } = passes;
const tiny = gemma3("tiny");
const model = () => tiny.build(sizes.tiny);

/** How often each op runs: weight expressions are not counted. */
function counts({ graph }: Module): Record<string, number> {
  const found: Record<string, number> = {};
  for (const n of topo(graph).filter((n) => n.op !== inputOp && !isStatic(n)))
    found[n.op.name] = (found[n.op.name] ?? 0) + 1;
  return found;
}
const hitsOf = (records: readonly passes.PassRecord[]) =>
  Object.fromEntries(records.flatMap((r) => r.hits.filter((h) => h.count).map((h) => [h.rule, h.count])));

test("one product for q, k and v and one op for the MLP of each layer; angles once for each kind", () => {
  const { module, records } = runPasses(model(), [mergeQkv, simplify, fuseMlp, flashAttention, kvCache], {
    check: true,
  });
  const { layers } = sizes.tiny;
  const found = counts(module);
  assert.is(found.gatedMlp, layers);
  assert.is(found.flashCachedAttention, layers);
  assert.is(found.linear, 2 * layers + 1, "qkv, the way back, and the head");
  assert.is(found.cos, undefined, "tables are computed when weights are written");
  assert.is(found.rope, 2 * layers);
  assert.is(hitsOf(records)["merge-qkv"], layers);
});

test("layers with a window have rings, the others the whole context", () => {
  const { module } = runPasses(model(), [kvCache]);
  const places = module.graph.state.map(({ cache }) =>
    cache.type.shape.flatMap((d) => (typeof d === "number" ? [] : d.sym)),
  );
  assert.equal(places.flat(), ["R24", "R24", "R24", "R24", "C", "C"]);
  const bindings = Object.fromEntries(module.entries.map((e) => [e.name, e.bind]));
  assert.equal(bindings["prefill-64"], { T: 64, C: 64, R24: 64 });
  assert.equal(bindings["decode-128"], { T: 1, C: 128, R24: 128 });
  assert.equal(bindings["prefill-256"], { T: 128, C: 256, R24: 192 });
});

test("a window as long as the context needs no ring", () => {
  const { module } = runPasses(tiny.build({ ...sizes.tiny, window: 200 }), [kvCache]);
  assert.ok(module.entries.every((e) => Object.keys(e.bind).join() === "T,C"));
});

test("the order of passes does not matter, and scales of norms fold into what reads them", () => {
  const orders = [
    [mergeQkv, simplify, foldNorm, fuseMlp, fuseResidual, flashAttention, kvCache],
    [kvCache, fuseMlp, flashAttention, foldNorm, mergeQkv, simplify],
    [flashAttention, fuseMlp, kvCache, mergeQkv, foldNorm, simplify],
  ].map((order) => {
    const { module, records } = runPasses(model(), order, { check: { sizes: { T: 6, C: 64, R24: 64 } } });
    assert.ok(hitsOf(records)["fold-rms-norm-without-bias"]! >= sizes.tiny.layers, "scales of norms fold");
    return counts(module);
  });
  for (const found of orders) assert.equal(found, orders[0]);
});

test("projections of one type merge where another is stored otherwise", async () => {
  const program = await loadProgram("graphs/gemma3-270m.ts");
  const { graph, entries } = program.build("tiny").module;
  const narrow = mapGraph(graph, (n) =>
    n.op === linear && n.inputs[1]!.name?.endsWith("v_proj.weight")
      ? linear.build([n.inputs[0]!, cast(n.inputs[1]!, { dtype: "f16" })], {}, n)
      : n,
  );
  const { module, records } = runPasses({ graph: narrow, entries }, [mergeQkv], { check: true });
  const { layers } = sizes.tiny;
  assert.is(records[0]!.hits[0]!.count, layers);
  assert.is(records[0]!.misses.filter((m) => m.reason === "its weight is of another type").length, layers);
  const names = topo(module.graph).map((n) => n.name);
  assert.ok(names.includes("h0.qk") && names.includes("h0.v") && !names.includes("h0.qkv"));
});

test("f16 weights: angles stay in f32", () => {
  const { module } = runPasses(model(), [mergeQkv, fuseMlp, kvCache, passes.f16Weights], { check: true });
  const turns = topo(module.graph).filter((n) => n.op.name === "rope");
  assert.ok(
    turns.every((n) => n.inputs.slice(1).every((x) => x.op.name === "gather" && x.inputs[0]!.type.dtype === "f32")),
  );
  assert.ok(
    topo(module.graph)
      .filter((n) => n.op.name === "gatedMlp")
      .every((n) => n.inputs[1]!.type.dtype === "f16"),
  );
});

test("270M: hits of every pass, and entry points", () => {
  const { module, records } = runPasses(gemma3("270m").build(sizes["270m"]), [
    mergeQkv,
    simplify,
    fuseMlp,
    flashAttention,
    kvCache,
  ]);
  const hits = hitsOf(records);
  assert.equal([hits["merge-qkv"], hits["fuse-gated-mlp-geluTanh-left"], hits["cache-attention"]], [18, 18, 18]);
  assert.equal(module.entries.at(-1)!.bind, { T: 1, C: 2048, R512: 640 });
  assert.equal(module.entries[0]!.bind, { T: 128, C: 256, R512: 256 });
});

test.run();
