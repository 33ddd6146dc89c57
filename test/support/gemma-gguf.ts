/** Small Gemma 3 models as GGUF files. */
import { join } from "node:path";
import { paramsOf } from "../../src/codegen/compile.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { hfName, isShiftedNorm } from "../../src/weights/gguf/names.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import { f32Data, type GgufTensorSpec, type MetadataEntry, writeGguf } from "./gguf.ts";
import { tempFolder } from "./temp.ts";

/** What config.json says of a model. */
export type Config = Readonly<Record<string, unknown>>;

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Its weights, made up from a seed. */
export async function seededTensors(checkpoint: Config): Promise<Tensor[]> {
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

function metadataOf(config: Config): (readonly [string, ...MetadataEntry])[] {
  const c = config as Record<string, number> & { rope_parameters?: { full_attention: { factor: number } } };
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
  return [
    ["general.architecture", "string", "gemma3"],
    ...Object.entries(numbers).map(([key, v]) => [`gemma3.${key}`, "u32", v] as const),
    ["gemma3.attention.layer_norm_rms_epsilon", "f32", c.rms_norm_eps!],
    ["gemma3.rope.freq_base", "f32", 1e6],
    ["gemma3.rope.scaling.factor", "f32", c.rope_parameters?.full_attention.factor ?? 1],
  ];
}

const asFloats = ({ name, data }: Tensor) => ({
  type: 0,
  data: f32Data(...(isShiftedNorm(name) ? data.map((x) => x + 1) : data)),
});

/** @param stored another form of a tensor than f32. @returns the path of the file, `small.gguf` */
export async function gemmaGguf(
  config: Config,
  stored: (t: Tensor) => Pick<GgufTensorSpec, "type" | "data"> | undefined = () => undefined,
): Promise<string> {
  const tensors = (await seededTensors(config)).map((t) => ({
    ...{ name: ggufName(t.name), shape: t.shape },
    ...(stored(t) ?? asFloats(t)),
  }));
  return writeGguf(join(tempFolder(), "small.gguf"), metadataOf(config), tensors);
}
