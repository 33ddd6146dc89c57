/** What llama.cpp calls the tensors of Gemma 3 (gguf-py, tensor_mapping.py), in Hugging Face's words. */

const whole: Readonly<Record<string, string>> = {
  token_embd: "model.embed_tokens",
  output_norm: "model.norm",
  output: "lm_head",
};
const inLayer: Readonly<Record<string, string>> = {
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  attn_output: "self_attn.o_proj",
  post_attention_norm: "post_attention_layernorm",
  ffn_norm: "pre_feedforward_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
  post_ffw_norm: "post_feedforward_layernorm",
};

/** `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`; a name that is not known stays as it is. */
export function hfName(name: string): string {
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const found = part && (layer === undefined ? whole : inLayer)[part];
  if (!found || !Object.hasOwn(layer === undefined ? whole : inLayer, part)) return name;
  return `${layer === undefined ? "" : `model.layers.${layer}.`}${found}.${kind}`;
}

/** Conversion to GGUF adds 1 to the weights of Gemma's norms, which Hugging Face stores as what they differ from 1 by. */
export const isShiftedNorm = (name: string): boolean => /norm\.weight$/.test(name);
