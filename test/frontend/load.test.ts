/** Loading of graph files: names and places from the source, and what is said of files that are wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/index.ts";
import { HeddleError, topo } from "../../src/ir/index.ts";

const fixture = (name: string) => `test/frontend/fixtures/${name}.ts`;

async function message(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (e) {
    assert.instance(e, HeddleError);
    return (e as Error).message;
  }
  return assert.unreachable("nothing was thrown") as never;
}
const buildOf = (name: string) => message(async () => (await loadProgram(fixture(name))).build());

test("values are called what the author called them", async () => {
  const { module } = (await loadProgram(fixture("names"))).build();
  const names = topo(module.graph).map((n) => `${n.name} ${n.op.name}`);
  const block = (h: string) => [
    `${h}.rectified.constant constant`,
    `${h}.rectified maximum`,
    // What a helper returns is called what its caller calls it, an operand of that after it.
    `${h}.right.tanh tanh`,
    `${h}.right mul`,
    `${h}.nested.tanh tanh`,
    // A helper inside a larger expression gives its own name.
    `${h}.twice add`,
    `${h}.nested add`,
    `${h}.acc add`,
    `${h}.acc.2 add`,
    `${h}.parts tanh`,
    `${h}.parts tanh`,
    `${h}.sum add`,
    `${h}.first tanh`,
    `${h}.second mul`,
    `${h}.product mul`,
    // Keys and patterns that are no names give none.
    "undefined tanh",
    "undefined tanh",
    "undefined mul",
    `${h}.block.add add`,
    `${h}.helper.tanh tanh`,
    `${h}.helper mul`,
    `${h}.block add`,
  ];
  const expected = ["x input", ...block("h0"), ...block("h1"), "named add", "helper.tanh tanh", "helper mul"];
  assert.equal(names.sort(), expected.sort());
});

test("a value knows its line and column", async () => {
  const { module } = (await loadProgram(fixture("names"))).build();
  const at = (name: string) => topo(module.graph).find((n) => n.name === name)!.loc;
  assert.equal(at("h1.nested"), { file: fixture("names"), line: 13, column: 18 });
  assert.equal(at("h0.rectified"), { file: "test/frontend/fixtures/ops.ts", line: 7, column: 21 });
});

test("GPT-2: names as in the paper, and the same graph every time", async () => {
  const program = await loadProgram("graphs/gpt2-baseline.ts");
  assert.is(program.name, "gpt2-baseline");
  assert.equal(program.configs, ["124m", "tiny"]);
  const { module, info, config } = program.build("tiny");
  assert.is(config, "tiny");
  assert.is(info.headDim, 32);
  const names = topo(module.graph).map((n) => n.name);
  for (const name of [
    "h0.q",
    "h1.k",
    "h1.mixed",
    "h0.attended",
    "h1.hidden",
    "h1.block",
    "final",
    "logits",
    "h.1.mlp.c_fc.bias",
  ])
    assert.ok(names.includes(name), name);
  assert.equal(
    topo(program.build("tiny").module.graph).map((n) => n.name),
    names,
  );
});

test("a checkpoint's config.json is a configuration", async () => {
  const program = await loadProgram("graphs/gpt2-fa2-kv.ts");
  const json = {
    model_type: "gpt2",
    activation_function: "gelu_new",
    n_embd: 32,
    n_head: 4,
    n_layer: 1,
    n_positions: 48,
    vocab_size: 99,
  };
  const { info, config, module } = program.build({ checkpoint: json });
  assert.is(config, "checkpoint");
  assert.is(info.headDim, 8);
  assert.equal(
    module.entries.map((e) => e.name),
    ["forward-48"],
  );
  const wrong = (over: object) => message(async () => program.build({ checkpoint: { ...json, ...over } }));
  assert.match(
    await wrong({ model_type: "llama" }),
    'model gpt2, config.json: model_type is "llama"; this model needs "gpt2"',
  );
  assert.match(await wrong({ n_head: 5 }), "n_embd 32 is not a multiple of n_head 5");
  assert.match(await wrong({ n_layer: "two" }), 'n_layer is "two"; it must be a whole number above zero');
  assert.match(await wrong({ layer_norm_epsilon: -1 }), "layer_norm_epsilon is -1; it must be a number above zero");
  assert.match(
    await wrong({ scale_attn_by_inverse_layer_idx: true }),
    "scale_attn_by_inverse_layer_idx is true; this model needs false",
  );
  assert.match(await wrong({ scale_attn_weights: false }), "scale_attn_weights is false; this model needs true");
  assert.match(
    await wrong({ activation_function: "relu" }),
    'activation_function is "relu"; this model needs "gelu_new" or',
  );
});

test("a shape mismatch is placed at the call, and names value and shapes", async () => {
  assert.is(
    await buildOf("shape-mismatch"),
    "test/frontend/fixtures/shape-mismatch.ts:8:17: linear %h3.qkv: x has 3 columns but w takes 7: x is f32[4x3], w is f32[5x7] ([out, in])",
  );
});

test("what a graph file throws is placed in it", async () => {
  assert.match(
    await buildOf("throws"),
    /^test\/frontend\/fixtures\/throws\.ts:5:27: test\/frontend\/fixtures\/throws\.ts: Cannot read properties of undefined/,
  );
  assert.match(
    await buildOf("throws-in-build"),
    /^test\/frontend\/fixtures\/throws-in-build\.ts:5:23: .*Cannot read properties of undefined/,
  );
});

test("files that are not programs", async () => {
  assert.match(
    await message(() => loadProgram("graphs/gpt3.ts")),
    /^graphs\/gpt3\.ts: there is no such file\n {2}try: a graph file such as/,
  );
  assert.match(await buildOf("no-program"), /exports no program\n {2}try: export default program\(/);
  const folder = mkdtempSync(join(tmpdir(), "heddle-"));
  try {
    const file = join(folder, "broken.ts");
    writeFileSync(file, "export default ((;\n");
    assert.match(await message(() => loadProgram(file)), /broken\.ts.*Unexpected ";"/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an unknown configuration", async () => {
  const program = await loadProgram("graphs/gpt2-fused.ts");
  assert.match(
    await message(async () => program.build("350m")),
    "model gpt2: has no configuration 350m\n  try: one of 124m, tiny",
  );
});

test.run();
