/**
 * What an NPU gets where no precision is asked for: f16 where its range holds the model, f16 with a divided residual stream where only that
 * reaches further, w8a16 where other values do. Three models that differ by the size of a few weights.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Compiled, compileProgram } from "../../src/cli/support/compile-program.ts";
import { runCommand } from "../support/cli.ts";
import { seededGemma } from "../support/gemma-checkpoint.ts";
import { tempFolder } from "../support/temp.ts";

const config = {
  model_type: "gemma3_text",
  vocab_size: 256,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 32,
  max_position_embeddings: 256,
  sliding_window: 64,
  query_pre_attn_scalar: 32,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  rope_local_base_freq: 1e4,
};

interface Range {
  readonly divisor: number;
  readonly layers: readonly { readonly layer: string; readonly besides: number; readonly fits: boolean }[];
}

/** Compiled without a precision: what came of it, the range that was found, the program's passes. */
async function byDefault(factorOf?: (name: string) => number): Promise<Compiled & { range: Range }> {
  const out = join(tempFolder(), "gemma");
  const weights = await seededGemma(config, factorOf);
  const compiled = await compileProgram("graphs/gemma3-270m.ts", {
    weights,
    target: "x-elite",
    contexts: [64],
    context: false,
    out,
  });
  return { ...compiled, range: JSON.parse(readFileSync(join(out, "half-range.json"), "utf8")) };
}

/** Values of the second layer reach far, which nothing that follows sees but the norm behind it. */
const overflowing = (name: string): number => (name.endsWith("layers.1.self_attn.v_proj.weight") ? 1e7 : 1);

const names = ({ passes }: Compiled): string[] => passes.map((p) => p.name);

test("what fits f16 is compiled in f16 as it is", async () => {
  const compiled = await byDefault();
  assert.is(compiled.manifest.precision, "f16");
  assert.is(compiled.reason, "f16 by default: its range holds every value");
  assert.is(compiled.range.divisor, 1);
  assert.not(names(compiled).includes("scale-residual"));
});

test("a stream that reaches further is divided, and f16 stays", async () => {
  const compiled = await byDefault((name) => (name.endsWith("post_feedforward_layernorm.weight") ? 1e7 : 1));
  assert.is(compiled.manifest.precision, "f16");
  const { divisor, layers } = compiled.range;
  assert.ok(divisor > 1, `divided by ${divisor}`);
  assert.is(
    compiled.reason,
    `f16 by default: its range holds every value once the residual stream is divided by ${divisor}`,
  );
  assert.ok(names(compiled).includes("scale-residual"));
  assert.ok(layers.some((l) => !l.fits) && layers.every((l) => l.besides < 65504));
});

test("values beside the stream that overflow make it w8a16", async () => {
  const compiled = await byDefault(overflowing);
  assert.is(compiled.manifest.precision, "w8a16");
  assert.is(compiled.reason, "w8a16 by default: values beside the residual stream are beyond the range of f16");
  assert.ok(names(compiled).includes("quantize"));
  const bad = compiled.range.layers.filter((l) => l.besides > 65504).map((l) => l.layer);
  assert.equal(bad, ["h1"]);
  for (const entry of compiled.manifest.entries) assert.is(entry.fixedPoint, true, entry.name);
});

test("the command line says which precision was taken and why", async () => {
  const weights = await seededGemma(config, overflowing);
  const options = ["--weights", weights, "--target", "x-elite", "--contexts", "64", "--no-context"];
  const out = join(tempFolder(), "gemma");
  const { code, stdout } = await runCommand("compile", ["graphs/gemma3-270m.ts", ...options, "--out", out]);
  assert.is(code, 0);
  assert.match(
    stdout,
    "w8a16 weights, for x-elite\nw8a16 by default: values beside the residual stream are beyond the range of f16\n",
  );
  assert.match(stdout, "warning: values beside the residual stream overflow");
});

test.run();
