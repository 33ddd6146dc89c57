import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGoldens } from "../../src/cli/support/goldens.ts";
import { seededWeights, seedOf } from "../../src/weights/seeded.ts";

test("values are the documented function of seed, name and index", () => {
  assert.is(seedOf("wte.weight", 0), fnv("0:wte.weight"));
  const values = seededWeights(7).read("h.3.mlp.c_fc.weight", [5, 4]);
  assert.equal(
    [...values],
    Array.from({ length: 20 }, (_, i) => slowly("h.3.mlp.c_fc.weight", 7, i, 0, 0.07)),
  );
  const norm = seededWeights().read("h.3.ln_2.weight", [300]);
  assert.equal(
    [...norm],
    Array.from({ length: 300 }, (_, i) => slowly("h.3.ln_2.weight", 0, i, 1, 0.1)),
  );
});

for (const model of ["tiny", "124m"] as const)
  test(`numpy makes the same bytes: ${model}`, () => {
    const { header, weights } = readGoldens(model);
    for (const { name, shape, sha256 } of weights) {
      const values = seededWeights(header.seed).read(name, shape);
      assert.is(createHash("sha256").update(values).digest("hex"), sha256, name);
    }
  });

test("each kind of weight has its spread", () => {
  const range = (name: string) => {
    const values = seededWeights().read(name, [1000]);
    return [Math.min(...values), Math.max(...values)] as const;
  };
  for (const [name, low, high] of [
    ["ln_f.weight", 0.9, 1.1],
    ["ln_f.bias", -0.05, 0.05],
    ["wte.weight", -0.06, 0.06],
    ["wpe.weight", -0.03, 0.03],
    ["h.0.attn.c_attn.weight", -0.07, 0.07],
    ["h.0.mlp.c_proj.weight", -0.04, 0.04],
  ] as const) {
    const [min, max] = range(name);
    const slack = (high - low) * 0.01;
    assert.ok(min >= low && min < low + slack && max < high && max > high - slack, `${name}: ${min}..${max}`);
  }
});

test("rows are those of the whole", () => {
  const [source, name, shape] = [seededWeights(3), "model.layers.2.post_feedforward_layernorm.weight", [700, 3]];
  const whole = source.read(name, shape);
  assert.equal(source.readRows!({ name, shape }, 200, 350), whole.slice(600, 1650));
  const table = "model.embed_tokens.weight";
  const last = source.readRows!({ name: table, shape: [262144, 1152] }, 262143, 1);
  assert.is(last[1151], slowly(table, 3, 262144 * 1152 - 1, 0, 0.06));
});

test("channels of a residual stream stand out, in models that are wide enough", () => {
  const outliers = (name: string, width: number) =>
    [...seededWeights().read(name, [width])].flatMap((x, i) => (Math.abs(x) > 1 ? [i] : []));
  for (const norm of ["post_attention_layernorm", "post_feedforward_layernorm"]) {
    assert.equal(outliers(`model.layers.0.${norm}.weight`, 1152), [319, 639, 959]);
    assert.equal(outliers(`model.layers.0.${norm}.weight`, 64), []);
  }
  assert.equal(outliers("model.layers.0.input_layernorm.weight", 1152), []);
});

test("a name that GPT-2 does not have is refused", () => {
  assert.throws(
    () => seededWeights().check([{ name: "h.0.attn.c_atn.weight", shape: [1] }]),
    "weight h.0.attn.c_atn.weight: is not a weight of GPT-2 or Gemma 3: the seeded generator knows only those by name",
  );
});

/** The same in arbitrary precision. */
const mask = 0xffffffffn;
function fnv(text: string): number {
  let h = 0x811c9dc5n;
  for (const b of Buffer.from(text)) h = ((h ^ BigInt(b)) * 0x01000193n) & mask;
  return Number(h);
}
function slowly(name: string, seed: number, i: number, center: number, halfWidth: number): number {
  let x = (BigInt(i) * 0x9e3779b9n + BigInt(fnv(`${seed}:${name}`))) & mask;
  x ^= x >> 16n;
  x = (x * 0x85ebca6bn) & mask;
  x ^= x >> 13n;
  x = (x * 0xc2b2ae35n) & mask;
  x ^= x >> 16n;
  const u = Number(x >> 8n) / 2 ** 24;
  return Math.fround(center + (2 * u - 1) * halfWidth);
}

test.run();
