import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGoldens } from "../../src/cli/support/goldens.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { tinyCheckpoint } from "../support/checkpoint.ts";
import { tempFolder } from "../support/temp.ts";

const fixture = "test/fixtures/gpt2-bible";

test("a Hugging Face folder brings weights, configuration, tokenizer and end of text", () => {
  const { weights, config, tokenizer, eos } = openCheckpoint(fixture);
  assert.is(weights.name, "gpt2-bible/model.safetensors");
  assert.is(config?.model_type, "gpt2");
  assert.equal(tokenizer?.content(), readFileSync(join(fixture, "tokenizer.json")));
  assert.equal(eos, [0]);
  for (const { name, shape, sha256 } of readGoldens("fixture").weights)
    assert.is(createHash("sha256").update(weights.read(name, shape)).digest("hex"), sha256, name);
  weights.close();
});

test("a file beside its config.json is as good as the folder", () => {
  const { weights, config } = openCheckpoint(join(fixture, "model.safetensors"));
  assert.is(weights.name, "model.safetensors");
  assert.is(config?.model_type, "gpt2");
  weights.close();
});

test("another file of the same size and time is noticed", () => {
  const file = tinyCheckpoint();
  const path = join(file, "model.safetensors");
  const fingerprint = () => {
    const { weights } = openCheckpoint(file);
    weights.close();
    return weights.fingerprint;
  };
  utimesSync(path, 1, 1);
  const before = fingerprint();
  assert.is(fingerprint(), before);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  utimesSync(path, 1, 1);
  assert.is.not(fingerprint(), before);
});

test("a config.json that is no object", () => {
  const folder = tinyCheckpoint();
  for (const text of ["null", "[]", "7"]) {
    writeFileSync(join(folder, "config.json"), text);
    assert.throws(() => openCheckpoint(folder), /config.json: is not a JSON object/);
  }
});

test("what is no checkpoint is refused in words", () => {
  const folder = tempFolder();
  assert.throws(
    () => openCheckpoint("nowhere"),
    "--weights nowhere: there is no such file or folder\n  try: give a .safetensors or .gguf file",
  );
  assert.throws(
    () => openCheckpoint(folder),
    "has no model.safetensors, model.safetensors.index.json or .gguf file\n  try: save it with model.save_pretrained",
  );
  writeFileSync(join(folder, "model.safetensors.index.json"), "{}");
  assert.throws(() => openCheckpoint(folder), "model.safetensors.index.json: has no weight_map");
  assert.throws(() => openCheckpoint(join(fixture, "tokenizer.json")), "is not a .safetensors or .gguf file");
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken", "config.json"), "{");
  writeFileSync(join(folder, "broken", "model.safetensors"), "");
  assert.throws(() => openCheckpoint(join(folder, "broken")), /config.json: is not JSON/);
});

test.run();
