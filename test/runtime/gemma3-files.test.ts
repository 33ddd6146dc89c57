/** Small Gemma 3 models against transformers, read from the files that people have: GGUF, and shards of a model that also sees. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, type Goldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { paramsOf } from "../../src/codegen/compile.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { hfName, isShiftedNorm } from "../../src/weights/gguf/names.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import { build, withSession } from "../support/builds.ts";
import { f32Data, type MetadataEntry, writeGguf } from "../support/gguf.ts";
import { writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

async function tensorsOf({ checkpoint = {} }: Goldens): Promise<Tensor[]> {
  const { module } = (await loadProgram("graphs/gemma3-270m.ts")).build({ checkpoint });
  const weights = seededWeights();
  return paramsOf(module).map(({ name, shape }) => ({ name, shape, data: weights.read(name, shape) }));
}

/** llama.cpp's name of a weight: the one that reads as it. */
function ggufName(name: string): string {
  const [, layer] = /^model\.layers\.(\d+)\./.exec(name) ?? [];
  const parts =
    layer === undefined
      ? ["token_embd", "output_norm"]
      : [
          "attn_norm",
          "attn_q",
          "attn_k",
          "attn_v",
          "attn_q_norm",
          "attn_k_norm",
          "attn_output",
          "post_attention_norm",
        ].concat(["ffn_norm", "ffn_gate", "ffn_up", "ffn_down", "post_ffw_norm"]);
  const prefix = layer === undefined ? "" : `blk.${layer}.`;
  return parts.map((p) => `${prefix}${p}.weight`).find((g) => hfName(g) === name)!;
}

async function gguf(goldens: Goldens): Promise<string> {
  const c = goldens.checkpoint as Record<string, number> & { rope_parameters?: { full_attention: { factor: number } } };
  const factor = c.rope_parameters?.full_attention.factor ?? 1;
  const numbers: Record<string, number> = {
    block_count: c.num_hidden_layers!,
    embedding_length: c.hidden_size!,
    feed_forward_length: c.intermediate_size!,
    context_length: c.max_position_embeddings!,
    "attention.head_count": c.num_attention_heads!,
    "attention.head_count_kv": c.num_key_value_heads!,
    "attention.key_length": c.head_dim!,
    "attention.sliding_window": c.sliding_window!,
    "attention.sliding_window_pattern": c.sliding_window_pattern!,
  };
  const metadata: (readonly [string, ...MetadataEntry])[] = [
    ["general.architecture", "string", "gemma3"],
    ...Object.entries(numbers).map(([key, v]) => [`gemma3.${key}`, "u32", v] as const),
    ["gemma3.attention.layer_norm_rms_epsilon", "f32", c.rms_norm_eps!],
    ["gemma3.rope.freq_base", "f32", 1e6],
    ["gemma3.rope.scaling.factor", "f32", factor],
  ];
  const tensors = (await tensorsOf(goldens)).map(({ name, shape, data }) => ({
    name: ggufName(name),
    shape,
    type: 0,
    data: f32Data(...(isShiftedNorm(name) ? data.map((x) => x + 1) : data)),
  }));
  return writeGguf(join(tempFolder(), "small.gguf"), metadata, tensors);
}

/** The way in which checkpoints that also see images were saved: a prefix, a configuration inside, several files. */
async function shards(goldens: Goldens): Promise<string> {
  const folder = join(tempFolder(), "checkpoint");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ model_type: "gemma3", text_config: goldens.checkpoint, eos_token_id: [1, 106] }),
  );
  const map: Record<string, string> = {};
  const tensors = await tensorsOf(goldens);
  for (const part of [0, 1, 2]) {
    const file = `model-0000${part + 1}-of-00003.safetensors`;
    const mine = tensors.filter((_, i) => i % 3 === part);
    for (const t of mine) map[`language_model.${t.name}`] = file;
    writeSafeTensors(
      join(folder, file),
      Object.fromEntries(
        mine.map(({ name, shape, data }) => [`language_model.${name}`, { dtype: "F32", shape, data }]),
      ),
    );
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  return folder;
}

for (const [model, kind, write] of [
  ["gemma3-mqa", "GGUF", gguf],
  ["gemma3-wide", "GGUF", gguf],
  ["gemma3-tiny", "shards", shards],
] as const)
  test(`${model} from ${kind}: logits within 1e-4 of transformers and the same greedy text`, async () => {
    const goldens = readGoldens(model);
    const folder = await build("gemma3-270m", { weights: await write(goldens) });
    await withSession(folder, async (session) => {
      for await (const { kind, prompt, length, error } of compareWithGoldens(session, goldens)) {
        if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${prompt} that differ`);
        else assert.ok(error < 1e-4, `logits after ${prompt} (${length} tokens) differ by ${error}`);
      }
      if (kind === "shards") assert.equal(session.build.manifest.model.eos, [1, 106]);
    });
    const { weights } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    assert.is(weights.source, kind === "GGUF" ? "small.gguf" : "checkpoint/model.safetensors.index.json");
  });

test.run();
