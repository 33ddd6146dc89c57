/** Gemma 3 in its published sizes, and how Hugging Face's config.json says them. */
import { checkpointFields } from "./checkpoint.ts";

export interface Gemma3Config {
  readonly vocab: number;
  readonly layers: number;
  readonly width: number;
  /** Columns between the two products of an MLP. */
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly positions: number;
  /** Tokens that a sliding layer sees, its own included. */
  readonly window: number;
  /** Every so many layers one sees all tokens. */
  readonly period: number;
  /** Scores are divided by its square root. */
  readonly queryScale: number;
  readonly thetaLocal: number;
  readonly thetaGlobal: number;
  /** Positions of the layers that see all tokens are divided by it. */
  readonly ropeFactor: number;
  /** Whether angles are rounded as ggml rounds them, as its files want. */
  readonly steppedAngles: boolean;
  readonly eps: number;
}

const shared = {
  period: 6,
  headDim: 256,
  queryScale: 256,
  thetaLocal: 1e4,
  thetaGlobal: 1e6,
  steppedAngles: false,
  eps: 1e-6,
} as const;
/** From 4B on. */
const large = { ...shared, vocab: 262208, positions: 131072, window: 1024, ropeFactor: 8 } as const;
const small = { ...shared, vocab: 262144, positions: 32768, window: 512, ropeFactor: 1 } as const;

/** Google's checkpoints, and one for tests that has both kinds of layers and a window shorter than its sequences. */
export const sizes = {
  "270m": { ...small, layers: 18, width: 640, hidden: 2048, heads: 4, kvHeads: 1 },
  "1b": { ...small, layers: 26, width: 1152, hidden: 6912, heads: 4, kvHeads: 1 },
  "4b": { ...large, layers: 34, width: 2560, hidden: 10240, heads: 8, kvHeads: 4 },
  "12b": { ...large, layers: 48, width: 3840, hidden: 15360, heads: 16, kvHeads: 8 },
  "27b": { ...large, layers: 62, width: 5376, hidden: 21504, heads: 32, kvHeads: 16, headDim: 128, queryScale: 168 },
  tiny: {
    ...shared,
    vocab: 256,
    layers: 3,
    width: 64,
    hidden: 96,
    heads: 4,
    kvHeads: 2,
    headDim: 32,
    positions: 255,
    window: 24,
    period: 3,
    queryScale: 24,
    ropeFactor: 8,
  },
} as const satisfies Record<string, Gemma3Config>;
export type Gemma3Size = keyof typeof sizes;

type Json = Readonly<Record<string, unknown>>;
const object = (x: unknown): Json => (typeof x === "object" && x !== null && !Array.isArray(x) ? (x as Json) : {});

/** The bases of the angles and the factor, in the words of either generation of config.json. */
function rotationsOf(json: Json): Pick<Gemma3Config, "thetaLocal" | "thetaGlobal" | "ropeFactor"> {
  const parameters = object(json.rope_parameters);
  const [far, near] = [object(parameters.full_attention), object(parameters.sliding_attention)];
  const scaling = { ...object(json.rope_scaling), ...far };
  const flat = {
    thetaGlobal: far.rope_theta ?? json.rope_theta ?? shared.thetaGlobal,
    thetaLocal: near.rope_theta ?? json.rope_local_base_freq ?? shared.thetaLocal,
    ropeFactor: scaling.factor ?? 1,
    kind: scaling.rope_type ?? scaling.type ?? "default",
    nearKind: near.rope_type ?? "default",
  };
  const read = checkpointFields(flat);
  read.expect("kind", ...(flat.ropeFactor === 1 ? ["default", "linear"] : ["linear"]));
  read.expect("nearKind", "default");
  return {
    thetaLocal: read.positive("thetaLocal", 0),
    thetaGlobal: read.positive("thetaGlobal", 0),
    ropeFactor: read.positive("ropeFactor", 0),
  };
}

/** The text part of a config.json; what it leaves out is as transformers has it. @throws Error for what is not modelled. */
export function fromCheckpoint(json: Json): Gemma3Config {
  const text = json.model_type === "gemma3" ? { ...object(json.text_config) } : json;
  const read = checkpointFields(text, { family: "gemma3_text" });
  read.expect("hidden_activation", "gelu_pytorch_tanh", undefined);
  read.expect("attention_bias", false, undefined);
  read.expect("attn_logit_softcapping", null, undefined);
  read.expect("final_logit_softcapping", null, undefined);
  read.expect("use_bidirectional_attention", false, null, undefined);
  read.expect("tie_word_embeddings", true, undefined);
  read.expect("rope_angles", "stepped", undefined);
  const layers = read.size("num_hidden_layers");
  const period = read.size("sliding_window_pattern", read.size("_sliding_window_pattern", shared.period));
  const kinds = text.layer_types ?? undefined;
  const expected = Array.from({ length: layers }, (_, i) =>
    (i + 1) % period ? "sliding_attention" : "full_attention",
  );
  if (kinds !== undefined && JSON.stringify(kinds) !== JSON.stringify(expected))
    throw new Error(`layer_types must repeat ${period - 1} times sliding_attention and full_attention`);
  const heads = read.size("num_attention_heads", 8);
  const kvHeads = read.size("num_key_value_heads", 4);
  if (heads % kvHeads)
    throw new Error(`num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  const headDim = read.size("head_dim", 256);
  if (headDim % 2) throw new Error(`head_dim ${headDim} is odd; positions turn pairs`);
  return {
    vocab: read.size("vocab_size", 262208),
    layers,
    width: read.size("hidden_size"),
    hidden: read.size("intermediate_size"),
    heads,
    kvHeads,
    headDim,
    positions: read.size("max_position_embeddings", 131072),
    window: read.size("sliding_window", 4096),
    period,
    queryScale: read.positive("query_pre_attn_scalar", 256),
    ...rotationsOf(text),
    steppedAngles: text.rope_angles === "stepped",
    eps: read.positive("rms_norm_eps", 1e-6),
  };
}
