/** keep-blocks: what stays in blocks, what cannot and why, and that nothing changes in value. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as ir from "../../src/ir/index.ts";
import { foldNorm, keepBlocks } from "../../src/passes/index.ts";
import { runPasses } from "../../src/passes/run.ts";
import { loadTarget } from "../../src/targets/target.ts";

const stored: Readonly<Record<string, ir.BlockType | "f16">> = {
  q: "q5_0",
  k: "q5_0",
  v: "q8_0",
  table: "q8_0",
  up: "q4_k",
  down: "q6_k",
  half: "f16",
};
const weight = (name: string, ...shape: number[]) => ir.param({ name, dtype: "f32", shape });
const x = (...shape: number[]) => ir.input("x", "f32", ...shape);
const zeros = (n: number) => ir.constant({ dtype: "f32", shape: [n], values: [0] });

/** The text of the graph after the pass, proved to compute the same, and what the pass left alone. */
function kept(output: ir.Node, ...after: ReturnType<typeof keepBlocks>[]) {
  const inputs = ir.topoFrom([output]).filter((n) => n.op.name === "input");
  const module = { graph: ir.graph("g", { inputs, outputs: [output] }), entries: [] };
  const passes = [keepBlocks((name) => stored[name]), ...after];
  const run = runPasses(module, passes, { target: loadTarget("reference"), check: true });
  return {
    text: ir.print(run.module.graph),
    missed: run.records.flatMap((r) => r.misses.map((m) => m.reason)),
    hits: run.records.flatMap((r) => r.hits.filter((h) => h.count > 0).map((h) => h.rule)),
  };
}

test("weights of every op that takes them", () => {
  assert.match(kept(ir.linear(x(2, 64), weight("q", 3, 64))).text, /q5_0\[3x64\]/);
  assert.match(kept(ir.linear(x(2, 64), weight("v", 3, 64), zeros(3))).text, /q8_0\[3x64\]/);
  assert.match(
    kept(ir.linearAdd(x(2, 64), weight("v", 64, 64), zeros(64), ir.input("r", "f32", 2, 64))).text,
    /q8_0\[64x64\]/,
  );
  const mlp = kept(
    ir.mlp(x(2, 256), weight("up", 512, 256), zeros(512), weight("down", 256, 512), zeros(256), { activation: "gelu" }),
  );
  assert.match(mlp.text, /q4_k\[512x256\]/);
  assert.match(mlp.text, /q6_k\[256x512\]/);
  assert.equal(mlp.hits, ["blocks-mlp"]);
});

test("a table that is head and embedding is one weight", () => {
  const table = weight("table", 9, 32);
  const tokens = ir.input("tokens", "i32", 4);
  const { text, hits } = kept(ir.linear(ir.gather(table, tokens), table));
  assert.equal(hits, ["blocks-linear-without-bias", "blocks-table"]);
  assert.is(text.match(/= param/g)?.length, 1, text);
});

test("rows may be joined and cut; parts of different types stay floats, with a word", () => {
  const join = (...names: string[]) =>
    ir.concat(
      names.map((n) => weight(n, 2, 64)),
      { axis: 0 },
    );
  assert.match(kept(ir.linear(x(1, 64), join("q", "k"))).text, /q5_0\[4x64\]/);
  const mixed = kept(ir.linear(x(1, 64), join("q", "v")));
  assert.not.match(mixed.text, /q5_0|q8_0/);
  assert.equal(mixed.missed, ["its parts are stored in q5_0 and q8_0"]);
  assert.match(
    kept(ir.linear(x(1, 64), ir.slice(weight("q", 9, 64), { axis: 0, start: 2, size: 3 }))).text,
    /q5_0\[3x64\]/,
  );
});

test("what is stored as f16 stays that, through every sweep", () => {
  const cut = ir.slice(weight("half", 9, 3), { axis: 0, start: 2, size: 3 });
  for (const w of [weight("half", 3, 3), cut, ir.concat([weight("half", 3, 3), weight("half", 3, 3)], { axis: 0 })]) {
    const { text, missed } = kept(ir.linear(x(2, 3), w));
    assert.match(text, /f16\[\dx3\]/);
    assert.equal(missed, []);
  }
  const mixed = ir.concat([weight("half", 2, 64), weight("q", 2, 64)], { axis: 0 });
  assert.equal(kept(ir.linear(x(1, 64), mixed)).missed, ["its parts are stored in f16 and q5_0"]);
});

test("what computes with a weight keeps it from its blocks, and says so", () => {
  const doubled = ir.mul(weight("q", 3, 64), ir.scalar(2));
  assert.equal(kept(ir.linear(x(1, 64), doubled)).missed, ["q, stored in blocks, goes through mul"]);
  assert.equal(kept(ir.linear(x(1, 65), weight("q", 3, 65))).missed, ["rows of q are not whole blocks of q5_0"]);
  assert.equal(kept(ir.linear(x(1, 64), weight("plain", 3, 64))).missed, []);
});

test("a norm is not folded into blocks", () => {
  const norm = ir.layerNorm(x(2, 64), weight("gamma", 64), weight("beta", 64), { eps: 1e-5 });
  const { text, missed } = kept(ir.linear(norm, weight("q", 3, 64), zeros(3)), foldNorm);
  assert.match(text, /layerNorm/);
  assert.equal(missed, ["the weight is kept in blocks"]);
});

test.run();
