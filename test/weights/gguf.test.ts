/** GGUF files as sources of weights: values as ggml has them, Hugging Face's names and conventions, blocks as they lie. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HeddleError } from "../../src/ir/error.ts";
import type { BlockType } from "../../src/ir/type.ts";
import { type Checkpoint, openCheckpoint } from "../../src/weights/checkpoint.ts";
import { dequantize } from "../../src/weights/gguf/dequantize.ts";
import { hfName, isShiftedNorm } from "../../src/weights/gguf/names.ts";
import { openGguf } from "../../src/weights/gguf/open.ts";
import { gemmaFile } from "../support/gemma.ts";
import { f32Data, type GgufTensorSpec, ggufBytes, type MetadataEntry, writeGguf } from "../support/gguf.ts";
import { tempFolder } from "../support/temp.ts";

const path = join(tempFolder(), "m.gguf");
type Metadata = readonly (readonly [key: string, ...entry: MetadataEntry])[];

const metadata: Metadata = [
  ["general.architecture", "string", "gemma3"],
  ["gemma3.block_count", "u32", 1],
  ["gemma3.embedding_length", "u32", 64],
  ["gemma3.feed_forward_length", "u32", 96],
  ["gemma3.context_length", "u32", 128],
  ["gemma3.attention.head_count", "u32", 2],
  ["gemma3.attention.key_length", "u32", 32],
  ["gemma3.attention.sliding_window", "u32", 16],
  ["gemma3.attention.layer_norm_rms_epsilon", "f32", 1e-6],
  ["gemma3.rope.scaling.type", "string", "linear"],
  ["gemma3.rope.scaling.factor", "f32", 8],
];
const fixture = JSON.parse(readFileSync("test/golden/gguf/blocks.json", "utf8")) as {
  readonly formats: Readonly<Record<string, { readonly bytes: string; readonly values: string }>>;
};
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "base64"));
const floatsOf = (text: string): Float32Array => new Float32Array(bytesOf(text).buffer);

const q8 = bytesOf(fixture.formats.Q8_0!.bytes);
const tensors: readonly GgufTensorSpec[] = [
  { name: "token_embd.weight", shape: [2, 32], type: 8, data: q8 },
  { name: "blk.0.attn_norm.weight", shape: [3], type: 0, data: f32Data(1.5, 1, 0.25) },
  {
    name: "blk.0.attn_q.weight",
    shape: [2, 2],
    type: 1,
    data: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 1, 0).buffer),
  },
  { name: "blk.0.attn_k.weight", shape: [1, 2], type: 30, data: new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer) },
];
const open = (t = tensors, m: Metadata = metadata) => openGguf(writeGguf(path, m, t), "m.gguf", "1");
const message = (run: () => unknown): string => {
  try {
    run();
    return "accepted";
  } catch (e) {
    return (e as Error).message;
  }
};

for (const [name, { bytes, values }] of Object.entries(fixture.formats))
  test(`${name} means what the Python package gguf makes of it, bit by bit`, () => {
    const expected = floatsOf(values);
    const out = new Float32Array(expected.length);
    dequantize(bytesOf(bytes), name.toLowerCase() as BlockType, out);
    assert.equal(out, expected);
  });

test("values under Hugging Face's names; norms without the 1 that GGUF adds", () => {
  const { weights } = open();
  weights.check([
    { name: "model.embed_tokens.weight", shape: [2, 32] },
    { name: "model.layers.0.input_layernorm.weight", shape: [3] },
    { name: "model.layers.0.self_attn.q_proj.weight", shape: [2, 2] },
    { name: "model.layers.0.self_attn.k_proj.weight", shape: [1, 2] },
  ]);
  assert.equal(weights.read("model.embed_tokens.weight", [2, 32]), floatsOf(fixture.formats.Q8_0!.values));
  assert.equal([...weights.read("model.layers.0.input_layernorm.weight", [3])], [0.5, 0, -0.75]);
  assert.equal([...weights.read("model.layers.0.self_attn.q_proj.weight", [2, 2])], [1, -2, 2 ** -24, 0]);
  assert.equal([...weights.read("model.layers.0.self_attn.k_proj.weight", [1, 2])], [1, -3.140625]);
  weights.close();
});

test("blocks row by row, as they lie in the file", () => {
  const { weights } = open();
  const table = { name: "model.embed_tokens.weight", shape: [2, 32] };
  assert.is(weights.blocks!.typeOf(table.name), "q8_0");
  assert.is(weights.blocks!.typeOf("model.layers.0.self_attn.q_proj.weight"), "f16");
  assert.is(weights.blocks!.typeOf("model.layers.0.self_attn.k_proj.weight"), undefined);
  assert.equal(Uint8Array.from(weights.blocks!.read(table, 1, 1)), q8.slice(34));
  assert.throws(
    () => weights.blocks!.read({ ...table, shape: [3, 32] }, 0, 1),
    "token_embd.weight is [2x32]; the model wants [3x32]",
  );
  weights.close();
  const broken = q8.slice();
  broken.set([0, 0x7c], 34);
  const { weights: bad } = open([{ ...tensors[0]!, data: broken }]);
  for (const read of [() => bad.blocks!.read(table, 0, 2), () => bad.read(table.name, table.shape)])
    assert.throws(read, /m.gguf, tensor token_embd.weight: has a block whose scale is not a finite number \(block 1/);
  bad.close();
});

test("the configuration, in the words of config.json", () => {
  const { config, weights } = open();
  weights.close();
  const expected = {
    model_type: "gemma3_text",
    vocab_size: 2,
    num_hidden_layers: 1,
    head_dim: 32,
    num_key_value_heads: 2,
  };
  for (const [key, value] of Object.entries(expected)) assert.is(config[key], value, key);
  assert.equal(config.rope_scaling, { rope_type: "linear", factor: 8 });
  assert.is(config.query_pre_attn_scalar, 32);
});

test("what does not fit is listed; what cannot be read says in what it is", () => {
  const { weights } = open([tensors[0]!, { name: "extra.weight", shape: [256], type: 10, data: new Uint8Array(84) }]);
  assert.is(
    message(() =>
      weights.check([
        { name: "model.embed_tokens.weight", shape: [3, 32] },
        { name: "model.norm.weight", shape: [3] },
      ]),
    ),
    `m.gguf: does not fit the model:
  token_embd.weight is [2x32]; the model wants [3x32]
  model.norm.weight is missing
  extra.weight is not a weight of the model
  try: choose the matching configuration with --config, or give the folder with the checkpoint's config.json`,
  );
  assert.match(
    message(() => weights.read("extra.weight", [256])),
    "extra.weight is Q2_K; weights are read in F32, F16, Q4_0, Q5_0, Q8_0, Q4_K, Q5_K, Q6_K, BF16",
  );
  weights.close();
});

test("models and files that are not read", () => {
  const without = (key: string) => metadata.filter(([k]) => k !== key);
  assert.match(
    message(() => open(tensors, [["general.architecture", "string", "llama"]])),
    'holds a model of architecture "llama"',
  );
  assert.match(
    message(() => open(tensors, [])),
    "holds a model of architecture unknown",
  );
  assert.match(
    message(() => open(tensors, without("gemma3.block_count"))),
    "m.gguf, key gemma3.block_count: is missing",
  );
  const wrong: Metadata = [...without("gemma3.block_count"), ["gemma3.block_count", "string", "one"]];
  assert.match(
    message(() => open(tensors, wrong)),
    'key gemma3.block_count: must be a number, not "one"',
  );
  assert.match(
    message(() => open(tensors, [...metadata, ["split.count", "u32", 3]])),
    "m.gguf: is one of 3 files that hold the model together",
  );
});

test("names that are not known stay as they are", () => {
  assert.is(hfName("blk.12.ffn_down.weight"), "model.layers.12.mlp.down_proj.weight");
  assert.is(hfName("output.weight"), "lm_head.weight");
  for (const name of ["blk.0.toString.weight", "constructor.weight", "blk.x.attn_q.weight", "token_embd"])
    assert.is(hfName(name), name);
  assert.ok(isShiftedNorm("model.layers.0.self_attn.q_norm.weight") && !isShiftedNorm("model.embed_tokens.weight"));
});

test("random damage anywhere: every use of the file ends in words or in numbers", () => {
  const tokens: Metadata = [
    ["tokenizer.ggml.model", "string", "llama"],
    ["tokenizer.ggml.tokens", "strings", ["<unk>", "<bos>", "a", "<0x41>"]],
    ["tokenizer.ggml.scores", "floats", [0, 0, -1, 0]],
    ["tokenizer.ggml.token_type", "ints", [2, 3, 1, 6]],
    ["tokenizer.ggml.bos_token_id", "u32", 1],
    ["tokenizer.chat_template", "string", "{{ messages }}"],
  ];
  const sound = ggufBytes([...metadata, ...tokens], tensors);
  const place = fc.nat(sound.length - 1);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      (changes) => {
        const bytes = Buffer.from(sound);
        for (const [at, value] of changes) bytes[at] = value;
        writeFileSync(path, bytes);
        const uses = (c: Checkpoint) => [
          () => c.tokenizer?.content(),
          () => c.weights.check([]),
          () => c.weights.read("model.embed_tokens.weight", [2, 32]),
          () => c.weights.blocks!.read({ name: "model.embed_tokens.weight", shape: [2, 32] }, 0, 2),
        ];
        let checkpoint: Checkpoint | undefined;
        for (const use of [
          () => (checkpoint = openCheckpoint(path)),
          ...[0, 1, 2, 3].map((i) => () => checkpoint && uses(checkpoint)[i]!()),
        ])
          try {
            use();
          } catch (e) {
            assert.instance(e, HeddleError, (e as Error).stack);
          }
        checkpoint?.weights.close();
      },
    ),
    { numRuns: 500, seed: 11 },
  );
});

const real = gemmaFile();
(real ? test : test.skip)("the real file has the values that the Python package reads from it", () => {
  const { tensors } = JSON.parse(readFileSync("test/golden/gguf/gemma-3-270m.json", "utf8")) as {
    readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
  };
  const { weights, eos, config } = openCheckpoint(real!);
  for (const [name, { shape, sha256 }] of Object.entries(tensors)) {
    const values = weights.read(hfName(name), shape);
    if (isShiftedNorm(hfName(name))) for (let i = 0; i < values.length; i++) values[i]! += 1;
    assert.is(createHash("sha256").update(values).digest("hex"), sha256, name);
  }
  assert.equal(eos, [1, 106]);
  assert.is(config?.num_hidden_layers, 18);
  weights.close();
});

test.run();
