/**
 * GPT-2 (Radford et al., 2019, "Language Models are Unsupervised Multitask Learners"), as Hugging Face stores it: tensor names
 * and layouts are those of its checkpoints, with `Conv1D` weights [in, out]. Sequences are [T, width]; T is any length.
 */
import {
  add,
  attention,
  gather,
  geluTanh,
  graph,
  input,
  iota,
  layerNorm,
  linear,
  type Model,
  mergeHeads,
  type Node,
  scope,
  slice,
  splitHeads,
  sym,
  transpose,
} from "../../src/ir/index.ts";
import { forwardEntries } from "../../src/passes/entries.ts";
import { checkpointFields, weight } from "./checkpoint.ts";

export interface GPT2Config {
  readonly vocab: number;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly positions: number;
  readonly eps: number;
}

/** A checkpoint's `Conv1D`: x w + b with w [in, out]. */
function conv1d(x: Node, name: string, inner: number, outer: number): Node {
  const w = weight(`${name}.weight`, inner, outer);
  const b = weight(`${name}.bias`, outer);
  return linear(x, transpose(w, { perm: [1, 0] }), b);
}

function norm(x: Node, name: string, { width, eps }: GPT2Config): Node {
  return layerNorm(x, weight(`${name}.weight`, width), weight(`${name}.bias`, width), { eps });
}

/** Token and learned position embeddings. The token table is the head's weight too, so it is given. */
function embed(tokens: Node, wte: Node, { width, positions }: GPT2Config): Node {
  const wpe = weight("wpe.weight", positions, width);
  const places = iota({ length: tokens.type.shape[0]! });
  return add(gather(wte, tokens), gather(wpe, places));
}

/** Masked multi-head self-attention. One tensor of the checkpoint, c_attn, holds the three projections side by side. */
function attend(x: Node, name: string, { width, heads }: GPT2Config): Node {
  const w = weight(`${name}.c_attn.weight`, width, 3 * width);
  const b = weight(`${name}.c_attn.bias`, 3 * width);
  const project = (part: number): Node => {
    const columns = slice(w, { axis: 1, start: part * width, size: width });
    const bias = slice(b, { axis: 0, start: part * width, size: width });
    return linear(x, transpose(columns, { perm: [1, 0] }), bias);
  };
  const q = project(0);
  const k = project(1);
  const v = project(2);
  const scale = 1 / Math.sqrt(width / heads);
  const mixed = attention(splitHeads(q, { heads }), splitHeads(k, { heads }), splitHeads(v, { heads }), { scale });
  const merged = mergeHeads(mixed);
  const projected = conv1d(merged, `${name}.c_proj`, width, width);
  return projected;
}

/** Two layers, GELU in its tanh form between them. */
function mlp(x: Node, name: string, { width }: GPT2Config): Node {
  const hidden = conv1d(x, `${name}.c_fc`, width, 4 * width);
  const active = geluTanh(hidden);
  return conv1d(active, `${name}.c_proj`, 4 * width, width);
}

/** One layer, norms first: x + attention(norm(x)), then that + mlp(norm(that)). */
function block(x: Node, name: string, config: GPT2Config): Node {
  const attended = add(x, attend(norm(x, `${name}.ln_1`, config), `${name}.attn`, config));
  return add(attended, mlp(norm(attended, `${name}.ln_2`, config), `${name}.mlp`, config));
}

function build(config: GPT2Config) {
  const { vocab, layers, width, positions } = config;
  const tokens = input("tokens", "i32", sym("T", 1, positions));
  const wte = weight("wte.weight", vocab, width);
  let x = embed(tokens, wte, config);
  for (let i = 0; i < layers; i++) x = scope(`h${i}`, () => block(x, `h.${i}`, config));
  const final = norm(x, "ln_f", config);
  const logits = linear(final, wte);
  return { graph: graph("gpt2", { inputs: [tokens], outputs: [logits] }), entries: forwardEntries(positions) };
}

export const gpt2: Model<GPT2Config> = {
  name: "gpt2",
  configs: {
    "124m": { vocab: 50257, layers: 12, width: 768, heads: 12, positions: 1024, eps: 1e-5 },
    tiny: { vocab: 256, layers: 2, width: 64, heads: 2, positions: 128, eps: 1e-5 },
  },
  info: ({ vocab, layers, width, heads, positions }) => ({
    vocab,
    layers,
    width,
    heads,
    kvHeads: heads,
    headDim: width / heads,
    positions,
  }),
  build,
  fromCheckpoint: (json) => {
    const read = checkpointFields(json, { family: "gpt2" });
    read.expect("activation_function", "gelu_new", "gelu_pytorch_tanh");
    // What changes the numbers and is not modelled. Absent means as GPT-2 has it.
    read.expect("scale_attn_weights", true, undefined);
    read.expect("scale_attn_by_inverse_layer_idx", false, undefined);
    read.expect("add_cross_attention", false, undefined);
    read.expect("tie_word_embeddings", true, undefined);
    const width = read.size("n_embd");
    read.expect("n_inner", null, undefined, 4 * width);
    const heads = read.size("n_head");
    if (width % heads !== 0) throw new Error(`n_embd ${width} is not a multiple of n_head ${heads}`);
    return {
      vocab: read.size("vocab_size"),
      layers: read.size("n_layer"),
      width,
      heads,
      positions: read.size("n_positions"),
      eps: read.positive("layer_norm_epsilon", 1e-5),
    };
  },
};
