/**
 * Gemma 3, its text part (Gemma Team, 2025, "Gemma 3 Technical Report"), as Hugging Face stores it: tensor names and layouts
 * are those of its checkpoints, with linear weights [out, in]. Sequences are [T, width]; T is any length.
 *
 * Norms stand before and after attention and MLP and scale by 1 + w. Queries and keys are normalised per head. Of `period` layers
 * the last sees all earlier tokens, the others a window of them; the two kinds turn queries and keys by different angles.
 */
import {
  add,
  attention,
  gather,
  geluTanh,
  graph,
  input,
  iota,
  type LayerRange,
  linear,
  type Model,
  type Module,
  mergeHeads,
  mul,
  type Node,
  rmsNorm,
  rope,
  scalar,
  scope,
  splitHeads,
  sym,
} from "../../src/ir/index.ts";
import { forwardEntries, reach } from "../../src/passes/entries.ts";
import { weight } from "./checkpoint.ts";
import { fromCheckpoint, type Gemma3Config, type Gemma3Size, sizes } from "./gemma3-config.ts";
import { type Rotation, rotation } from "./rotation.ts";

/** What the two kinds of layers differ in: 0 is no window. */
type Kind = Rotation & { readonly window: number };

/** x / rms(x) (1 + w) over the last axis. */
function norm(x: Node, name: string, { eps }: Gemma3Config): Node {
  const w = weight(`${name}.weight`, x.type.shape.at(-1) as number);
  const gamma = add(w, scalar(1));
  return rmsNorm(x, gamma, { eps });
}

function project(x: Node, name: string, out: number): Node {
  return linear(x, weight(`${name}.weight`, out, x.type.shape.at(-1) as number));
}

/**
 * The token table is the head's weight too, so it is given. The reference rounds sqrt(width) to the type that it computes in;
 * in f32 that changes nothing, in bf16 it is 25.25 for 640.
 */
function embed(tokens: Node, table: Node, { width }: Gemma3Config): Node {
  return mul(gather(table, tokens), scalar(Math.sqrt(width)));
}

/** Causal self-attention over all earlier tokens, or `window` of them where that is not 0. */
function attend(x: Node, name: string, { cos, sin, window }: Kind, config: Gemma3Config): Node {
  const { width, heads, kvHeads, headDim, queryScale } = config;
  const q = project(x, `${name}.q_proj`, heads * headDim);
  const k = project(x, `${name}.k_proj`, kvHeads * headDim);
  const v = project(x, `${name}.v_proj`, kvHeads * headDim);
  const queries = rope(norm(splitHeads(q, { heads }), `${name}.q_norm`, config), cos, sin);
  const keys = rope(norm(splitHeads(k, { heads: kvHeads }), `${name}.k_norm`, config), cos, sin);
  const values = splitHeads(v, { heads: kvHeads });
  const mixed = attention(queries, keys, values, { scale: 1 / Math.sqrt(queryScale), window });
  const merged = mergeHeads(mixed);
  return project(merged, `${name}.o_proj`, width);
}

/** Two products beside each other, of which one gates the other by GELU in its tanh form, and one back. */
function mlp(x: Node, name: string, { width, hidden }: Gemma3Config): Node {
  const gate = project(x, `${name}.gate_proj`, hidden);
  const up = project(x, `${name}.up_proj`, hidden);
  const gated = mul(geluTanh(gate), up);
  return project(gated, `${name}.down_proj`, width);
}

/** One layer: x + norm(attention(norm(x))), then that + norm(mlp(norm(that))). */
function block(x: Node, name: string, kind: Kind, config: Gemma3Config): Node {
  const found = attend(norm(x, `${name}.input_layernorm`, config), `${name}.self_attn`, kind, config);
  const attended = add(x, norm(found, `${name}.post_attention_layernorm`, config));
  const thought = mlp(norm(attended, `${name}.pre_feedforward_layernorm`, config), `${name}.mlp`, config);
  return add(attended, norm(thought, `${name}.post_feedforward_layernorm`, config));
}

function build(config: Gemma3Config, part?: LayerRange, wanted?: number): Module {
  const { vocab, layers, width, headDim, positions, window, period } = config;
  const { thetaLocal, thetaGlobal, ropeFactor, steppedAngles: stepped } = config;
  const longest = reach(positions, wanted);
  const T = sym("T", 1, longest);
  const { first, last } = part ?? { first: 0, last: layers - 1 };
  const start = first === 0 ? input("tokens", "i32", T) : input("hidden", "f32", T, width);
  const table = weight("model.embed_tokens.weight", vocab, width);
  // Once for all layers: every layer of a kind turns by the same angles.
  const places = iota({ length: T });
  const angles = { dim: headDim, rows: longest, stepped };
  const near = scope("local", () => rotation(places, { ...angles, theta: thetaLocal, factor: 1 }));
  const far = scope("global", () => rotation(places, { ...angles, theta: thetaGlobal, factor: ropeFactor }));
  const [local, global]: Kind[] = [
    { ...near, window },
    { ...far, window: 0 },
  ];
  let x = first === 0 ? embed(start, table, config) : start;
  for (let i = first; i <= last; i++) {
    const kind = (i + 1) % period === 0 ? global! : local!;
    x = scope(`h${i}`, () => block(x, `model.layers.${i}`, kind, config));
  }
  const entries = forwardEntries(positions);
  if (last < layers - 1) return { graph: graph("gemma3", { inputs: [start], outputs: [x] }), entries, rows: "all" };
  const final = norm(x, "model.norm", config);
  const logits = linear(final, table);
  return { graph: graph("gemma3", { inputs: [start], outputs: [logits] }), entries };
}

/** The model with one of its sizes as the default. */
export const gemma3 = (size: Gemma3Size): Model<Gemma3Config> => ({
  name: "gemma3",
  configs: { [size]: sizes[size], ...sizes },
  info: ({ vocab, layers, width, heads, kvHeads, headDim, positions }) => ({
    vocab,
    layers,
    width,
    heads,
    kvHeads,
    headDim,
    positions,
  }),
  build,
  fromCheckpoint,
});
