/** The configuration of a model from GGUF metadata, in the words of Hugging Face's config.json. */
import { HeddleError } from "../../ir/error.ts";
import type { GgufHeader, Metadata, MetadataValue } from "./header.ts";

type Json = Readonly<Record<string, unknown>>;

/** The language model families that can be read, by `general.architecture`. */
const families: Readonly<Record<string, (read: Fields, header: GgufHeader) => Json>> = { gemma3 };

/** @throws HeddleError for a family that is not known, or a key that is missing or of another kind. */
export function configOf(header: GgufHeader, file: string): Json {
  const family = header.metadata.get("general.architecture");
  if (typeof family !== "string" || !Object.hasOwn(families, family))
    throw new HeddleError(`holds a model of architecture ${JSON.stringify(family) ?? "unknown"}`, {
      subject: file,
      hint: `GGUF files are read for ${Object.keys(families).join(", ")}; give other models as safetensors`,
    });
  return families[family]!(new Fields(header.metadata, family, file), header);
}

/** Reads `<family>.<key>`. */
class Fields {
  readonly #metadata: Metadata;
  readonly #family: string;
  readonly #file: string;

  constructor(metadata: Metadata, family: string, file: string) {
    this.#metadata = metadata;
    this.#family = family;
    this.#file = file;
  }

  number(key: string, absent?: number): number {
    const value = this.#get(key) ?? absent;
    return typeof value === "number" ? value : this.#refuse(key, "a number", value);
  }

  text(key: string, absent: string): string {
    const value = this.#get(key) ?? absent;
    return typeof value === "string" ? value : this.#refuse(key, "text", value);
  }

  /** Whether there is a value other than 0. */
  has = (key: string): boolean => (this.#get(key) ?? 0) !== 0;

  #get = (key: string): MetadataValue | undefined => this.#metadata.get(`${this.#family}.${key}`);

  #refuse(key: string, kind: string, value: unknown): never {
    throw new HeddleError(value === undefined ? "is missing" : `must be ${kind}, not ${JSON.stringify(value)}`, {
      subject: `${this.#file}, key ${this.#family}.${key}`,
      hint: "convert the model again with llama.cpp's convert_hf_to_gguf.py",
    });
  }
}

/**
 * Of the scale of scores GGUF says nothing: it is the head's size, but for 27B, the one with 62 layers, where it is the width
 * over the number of heads. Angles of sliding layers have base 10,000 unless it is said otherwise; all are rounded as ggml does.
 */
function gemma3(read: Fields, { metadata, tensors }: GgufHeader): Json {
  const [layers, width] = [read.number("block_count"), read.number("embedding_length")];
  const [heads, headDim] = [read.number("attention.head_count"), read.number("attention.key_length", 256)];
  const factor = read.number("rope.scaling.factor", 1);
  const table = tensors.find((t) => t.name === "token_embd.weight");
  const tokens = metadata.get("tokenizer.ggml.tokens");
  return {
    model_type: "gemma3_text",
    vocab_size: table?.shape[0] ?? (Array.isArray(tokens) ? tokens.length : undefined),
    num_hidden_layers: layers,
    hidden_size: width,
    intermediate_size: read.number("feed_forward_length"),
    num_attention_heads: heads,
    num_key_value_heads: read.number("attention.head_count_kv", heads),
    head_dim: headDim,
    max_position_embeddings: read.number("context_length"),
    sliding_window: read.number("attention.sliding_window"),
    sliding_window_pattern: read.number("attention.sliding_window_pattern", 6),
    query_pre_attn_scalar: layers === 62 ? width / heads : headDim,
    rms_norm_eps: read.number("attention.layer_norm_rms_epsilon"),
    rope_theta: read.number("rope.freq_base", 1e6),
    rope_local_base_freq: read.number("rope.freq_base_swa", 1e4),
    rope_angles: "stepped",
    rope_scaling: factor === 1 ? null : { rope_type: read.text("rope.scaling.type", "linear"), factor },
    attention_bias: tensors.some((t) => /^blk\.\d+\.attn_[qkv]\.bias$/.test(t.name)),
    final_logit_softcapping: read.has("final_logit_softcapping") ? read.number("final_logit_softcapping") : null,
    attn_logit_softcapping: read.has("attn_logit_softcapping") ? read.number("attn_logit_softcapping") : null,
  };
}
