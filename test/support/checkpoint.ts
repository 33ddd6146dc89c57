/** Checkpoints of the tiny GPT-2, sound and broken, as Hugging Face folders. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededWeights } from "../../src/weights/seeded.ts";
import { type Overrides, type Written, writeSafeTensors } from "./safetensors.ts";
import { tempFolder } from "./temp.ts";

const [vocab, layers, width, positions] = [256, 2, 64, 128];

const shapes: Readonly<Record<string, readonly number[]>> = {
  "wte.weight": [vocab, width],
  "wpe.weight": [positions, width],
  ...Object.assign({}, ...Array.from({ length: layers }, (_, i) => block(`h.${i}`))),
  "ln_f.weight": [width],
  "ln_f.bias": [width],
};

function block(name: string): Record<string, number[]> {
  const linear = (part: string, inner: number, outer: number) => ({
    [`${name}.${part}.weight`]: [inner, outer],
    [`${name}.${part}.bias`]: [outer],
  });
  const norm = (part: string) => ({ [`${name}.${part}.weight`]: [width], [`${name}.${part}.bias`]: [width] });
  return {
    ...norm("ln_1"),
    ...linear("attn.c_attn", width, 3 * width),
    ...linear("attn.c_proj", width, width),
    ...norm("ln_2"),
    ...linear("mlp.c_fc", width, 4 * width),
    ...linear("mlp.c_proj", 4 * width, width),
  };
}

/** The seeded weights of `tiny` as a checkpoint's tensors. */
export function tinyTensors(): Record<string, Written> {
  const weights = seededWeights();
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { dtype: "F32", shape, data: weights.read(name, shape) }]),
  );
}

const config = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  vocab_size: vocab,
  n_layer: layers,
  n_embd: width,
  n_head: 2,
  n_positions: positions,
  layer_norm_epsilon: 1e-5,
};

/** A Hugging Face folder. @param change makes it broken. */
export function tinyCheckpoint(change: (t: Record<string, Written>) => void = () => {}, over: Overrides = {}): string {
  const folder = join(tempFolder(), "checkpoint");
  mkdirSync(folder);
  const tensors = tinyTensors();
  change(tensors);
  writeSafeTensors(join(folder, "model.safetensors"), tensors, over);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}
