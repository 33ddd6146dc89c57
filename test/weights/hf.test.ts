import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { hfWeights } from "../../src/weights/hf.ts";
import { openSafeTensors } from "../../src/weights/safetensors.ts";
import { f32, type Written, writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

const path = join(tempFolder(), "gpt2.safetensors");
const wanted = [
  { name: "wte.weight", shape: [4, 2] },
  { name: "h.0.attn.c_attn.weight", shape: [2, 6] },
];
const sound = { "wte.weight": f32([4, 2], 1), "h.0.attn.c_attn.weight": f32([2, 6], 2) };

function source(tensors: Record<string, Written>) {
  writeSafeTensors(path, tensors);
  return hfWeights(openSafeTensors(path), "gpt2.safetensors", "1");
}
function misfits(tensors: Record<string, Written>): string {
  const weights = source(tensors);
  try {
    weights.check(wanted);
    return "fits";
  } catch (e) {
    return (e as Error).message;
  } finally {
    weights.close();
  }
}
const hint =
  "\n  try: choose the matching configuration with --config, or give the folder with the checkpoint's config.json";

test("names with the prefix, masks and a repeated head", () => {
  const tensors = {
    "transformer.wte.weight": f32([4, 2], 1, 2),
    "transformer.h.0.attn.c_attn.weight": f32([2, 6], 2),
    "transformer.h.0.attn.bias": f32([1, 1, 4, 4], 1),
    "transformer.h.0.attn.masked_bias": f32([], -10000),
    "lm_head.weight": f32([4, 2], 1, 2),
  };
  const weights = source(tensors);
  weights.check(wanted);
  assert.equal([...weights.read("wte.weight", [4, 2])], [1, 2, 1, 2, 1, 2, 1, 2]);
  weights.close();
  assert.match(
    misfits({ ...tensors, "lm_head.weight": f32([4, 2], 1, 3) }),
    "gpt2.safetensors: lm_head.weight differs from transformer.wte.weight: GPT-2's head is tied to its embedding",
  );
});

test("missing, extra, misshapen and mistyped tensors are listed together", () => {
  assert.is(
    misfits({ "wte.weight": f32([4, 2], 1), "h.0.attn.c_atn.weight": f32([2, 6], 1) }),
    `gpt2.safetensors: does not fit the model:
  h.0.attn.c_attn.weight is missing; the nearest name there is h.0.attn.c_atn.weight
  h.0.attn.c_atn.weight is not a weight of the model; did the file mean h.0.attn.c_attn.weight?${hint}`,
  );
  assert.is(
    misfits({ ...sound, "wte.weight": f32([5, 2], 1), "score.weight": f32([1], 1) }),
    `gpt2.safetensors: does not fit the model:
  wte.weight is [5x2]; the model wants [4x2]
  score.weight is not a weight of the model${hint}`,
  );
  const wide: Written = { dtype: "I64", shape: [4, 2], data: new BigInt64Array(8) };
  assert.match(misfits({ ...sound, "wte.weight": wide }), "wte.weight is I64; weights must be F32, F16 or BF16");
  const deeper = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`h.${i + 1}.ln_1.bias`, f32([2], 0)]));
  assert.match(misfits({ ...sound, ...deeper }), /h.8.ln_1.bias is not a weight of the model\n {2}and 4 more\n/);
});

test("a tensor with the prefix and without", () => {
  assert.match(
    misfits({ ...sound, "transformer.wte.weight": f32([4, 2], 9) }),
    "\n  wte.weight is there twice, as wte.weight and as transformer.wte.weight\n",
  );
});

test("a read says what is wrong with the one tensor", () => {
  const weights = source(sound);
  assert.throws(
    () => weights.read("wpe.weight", [4]),
    "gpt2.safetensors: wpe.weight is missing; the nearest name there is wte.weight",
  );
  assert.throws(
    () => weights.read("wte.weight", [2, 4]),
    "gpt2.safetensors: wte.weight is [4x2]; the model wants [2x4]",
  );
  weights.close();
});

test.run();
