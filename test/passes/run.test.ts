/** The runner: what it reports, and how a pass that is wrong is told so. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/index.ts";
import {
  add,
  geluTanh,
  graph,
  HeddleError,
  input,
  layerNorm,
  linear,
  type Module,
  mul,
  type Node,
  param,
  renamed,
  rule,
  skip,
  sym,
  v,
} from "../../src/ir/index.ts";
import { f16Weights, foldNorm, fuseMlp, pass, rules, runPasses } from "../../src/passes/index.ts";
import { relativeError } from "../../src/passes/prove.ts";

const loc = { file: "graphs/models/small.ts", line: 7, column: 9 };
const named = <N extends Node>(n: N, name: string): N => renamed(n, { name, loc });
const weight = (name: string, ...shape: number[]) => param({ name, dtype: "f32", shape });
const gamma = weight("gamma", 4);
const beta = weight("beta", 4);
const project = (x: Node, name: string, out: number) =>
  named(linear(x, weight(`${name}.w`, out, x.type.shape.at(-1) as number), weight(`${name}.b`, out)), name);

/** norm -> up -> GELU -> down, and x added. */
function small(): Module {
  const x = input("x", "f32", sym("T", 1, 16), 4);
  const norm = named(layerNorm(x, gamma, beta), "norm");
  const up = project(norm, "up", 6);
  const active = named(geluTanh(up), "active");
  const y = named(add(x, project(active, "down", 4)), "y");
  return { graph: graph("small", { inputs: [x], outputs: [y] }), entries: [] };
}

const message = (run: () => unknown): string => {
  try {
    run();
  } catch (e) {
    assert.instance(e, HeddleError);
    return (e as HeddleError).message;
  }
  return assert.unreachable("nothing was thrown") as never;
};

test("a record has hits per rule, near misses with reason and place, ops before and after, text and proof", () => {
  const reluctant = rules("reluctant", [rule("never", geluTanh.pat(v("x")), () => skip("not today"))], {
    doc: "Declines.",
  });
  const { records, text, module } = runPasses(small(), [foldNorm, fuseMlp, reluctant], { dump: true, check: true });
  const [fold, fuse] = records;
  assert.equal(fold!.hits.slice(0, 2), [
    { rule: "fold-norm", count: 1 },
    { rule: "fold-norm-without-bias", count: 0 },
  ]);
  assert.is(fold!.misses.length, 0);
  assert.is(fuse!.nodesBefore, 5);
  assert.is(fuse!.nodesAfter, 3);
  assert.ok(fuse!.ms >= 0);
  assert.match(fuse!.text!, "mlp(%up.normalize");
  assert.match(text!, "layerNorm");
  assert.ok(fold!.proof!.error.f64 < 1e-12 && fold!.proof!.error.f32 < 1e-5);
  assert.is(module.graph.outputs[0]!.name, "y");
  assert.is(JSON.parse(JSON.stringify(records)).length, 3, "a record is data");
});

test("a near miss says why and where", () => {
  const reluctant = rules("reluctant", [rule("never", geluTanh.pat(v("x")), () => skip("not today"))], {
    doc: "Declines.",
  });
  const { records } = runPasses(small(), [reluctant]);
  assert.equal(records[0]!.misses, [{ rule: "never", node: "geluTanh %active", loc, reason: "not today" }]);
  assert.is(records[0]!.text, undefined);
});

test("norms with other users and shared weights are near misses of fold-norm", () => {
  const { graph: g } = small();
  const norm = layerNorm(g.inputs[0]!, gamma, beta);
  const tied = weight("tied", 4, 4);
  const twice = graph("twice", { inputs: g.inputs, outputs: [linear(norm, tied), add(norm, g.inputs[0]!)] });
  assert.is(
    runPasses({ graph: twice, entries: [] }, [foldNorm]).records[0]!.misses[0]!.reason,
    "the norm is also read by add",
  );
  const shared = graph("shared", { inputs: g.inputs, outputs: [linear(norm, tied), linear(g.inputs[0]!, tied)] });
  const [record] = runPasses({ graph: shared, entries: [] }, [foldNorm]).records;
  assert.match(record!.misses[0]!.reason, "the weight is shared");
});

test("weights that are narrower than the norm are a near miss of fold-norm", () => {
  const { records } = runPasses(small(), [f16Weights, foldNorm]);
  assert.match(records[1]!.misses[0]!.reason, "the weight is narrower than scale and shift: fold before f16-weights");
});

test("an infinity among the values hides no difference", () => {
  assert.is(relativeError(Float32Array.of(2, Number.NEGATIVE_INFINITY), Float32Array.of(1, -Infinity)), 0.5);
  assert.is(relativeError(Float32Array.of(2, 1), Float32Array.of(2, Infinity)), Infinity);
});

test("--check names the first value that differs, and by how much", () => {
  // Wrong: the shift is lost.
  const forgetful = rules(
    "forgetful",
    [
      rule("drop-shift", layerNorm.pat(v("x"), v("gamma"), v("beta")).as("n"), ({ x, gamma, beta, n }) =>
        beta.op === mul ? n : layerNorm(x, gamma, mul(beta, beta), n.attrs),
      ),
    ],
    { doc: "Wrong on purpose." },
  );
  const text = message(() => runPasses(small(), [forgetful], { check: true }));
  assert.match(
    text,
    /^graphs\/models\/small\.ts:7:9: pass forgetful changes the result: in f64, output add %y differs by \S+ of/,
  );
  assert.match(text, /where 1e-9 is allowed; the first value to differ is layerNorm %norm, by /);
  assert.match(text, "--dump");
});

test("a pass that throws is named, with its rule and node and their place", () => {
  const broken = rules(
    "broken",
    [
      rule("confused", geluTanh.pat(v("x")), ({ x }) => {
        throw new Error(`no idea what to do with ${x.name}`);
      }),
    ],
    { doc: "Throws." },
  );
  const text = message(() => runPasses(small(), [broken]));
  assert.match(
    text,
    /^graphs\/models\/small\.ts:7:9: geluTanh %active: pass broken: rule confused failed: .*no idea what to do with up/,
  );
});

test("a rule may not change a type", () => {
  const widen = rules("widen", [rule("swap", geluTanh.pat(v("x")), () => weight("other", 3))], { doc: "Ill-typed." });
  assert.match(
    message(() => runPasses(small(), [widen])),
    /pass widen: rule swap would change its type from f32\[Tx6\] to f32\[3\]/,
  );
});

test("a pass that leaves an ill-formed graph is named", () => {
  const loses = pass("loses-input", (g) => graph(g.name, { inputs: [], outputs: g.outputs }), { doc: "Ill-formed." });
  assert.match(
    message(() => runPasses(small(), [loses])),
    /pass loses-input: left an ill-formed graph: .*not among the inputs/,
  );
});

test("a pass that changes inputs needs a proof of its own", () => {
  const adds = pass(
    "adds-input",
    (g) => graph(g.name, { inputs: [...g.inputs, input("more", "f32", 1)], outputs: g.outputs }),
    { doc: "Changes the interface." },
  );
  assert.match(
    message(() => runPasses(small(), [adds], { check: true })),
    "pass adds-input: ",
  );
  assert.match(
    message(() => runPasses(small(), [adds], { check: true })),
    "give it a proof of its own",
  );
});

test("124M: hits of every pass of the largest program", async () => {
  const { build, passes } = await loadProgram("graphs/gpt2-fa2-kv-fused.ts");
  const { records, module } = runPasses(build().module, passes);
  const hits = Object.fromEntries(records.flatMap((r) => r.hits.filter((h) => h.count).map((h) => [h.rule, h.count])));
  assert.is(hits["merge-qkv"], 12);
  assert.is(hits["fold-norm"], 24);
  assert.is(hits["fuse-mlp-geluTanh"], 12);
  assert.is(hits["linear-add-right"], 12);
  assert.is(hits["mlp-add-right"], 12);
  assert.is(hits["flash-attention"], 12);
  assert.is(hits["cache-attention"], 12);
  assert.is(module.graph.state.length, 24);
  assert.equal(
    module.entries.map((e) => e.name),
    ["prefill-256", "decode-256", "prefill-512", "decode-512", "prefill-1024", "decode-1024"],
  );
});

test.run();
