/** Weights in several files, and indices that lie. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { f32, writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

const files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
const table = "language_model.model.embed_tokens.weight";
const norm = "language_model.model.norm.weight";

/** A folder with two shards and an index. */
function folder(map: Readonly<Record<string, unknown>> = { [table]: files[0], [norm]: files[1] }): string {
  const path = join(tempFolder(), "gemma");
  mkdirSync(path);
  writeSafeTensors(join(path, files[0]), { [table]: f32([2, 3], 1, 2), "vision_tower.x.weight": f32([1], 1) });
  writeSafeTensors(join(path, files[1]), { [norm]: f32([3], 0.5) });
  writeFileSync(join(path, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
  writeFileSync(join(path, "config.json"), JSON.stringify({ model_type: "gemma3" }));
  return path;
}
const refusal = (path: string): string => {
  try {
    openCheckpoint(path).weights.close();
    return "accepted";
  } catch (e) {
    return (e as Error).message;
  }
};
const withIndex = (text: string): string => {
  const path = folder();
  writeFileSync(join(path, "model.safetensors.index.json"), text);
  return path;
};

test("shards read as one; names of a model that also sees are those of its language part", () => {
  const path = folder({ [table]: files[0], [norm]: files[1], "vision_tower.x.weight": files[0] });
  for (const named of [path, join(path, "model.safetensors.index.json")]) {
    const { weights } = openCheckpoint(named);
    weights.check([
      { name: "model.embed_tokens.weight", shape: [2, 3] },
      { name: "model.norm.weight", shape: [3] },
    ]);
    assert.equal([...weights.read("model.embed_tokens.weight", [2, 3])], [1, 2, 1, 2, 1, 2]);
    assert.equal([...weights.read("model.norm.weight", [3])], [0.5, 0.5, 0.5]);
    weights.close();
  }
});

test("a change in any shard is noticed", () => {
  const path = folder();
  const fingerprint = () => {
    const { weights } = openCheckpoint(path);
    weights.close();
    return weights.fingerprint;
  };
  const before = fingerprint();
  writeSafeTensors(join(path, files[1]), { [norm]: f32([3], 0.25) });
  assert.is.not(fingerprint(), before);
});

test("a shard that is missing, damaged, or has not what the index says", () => {
  const path = folder();
  rmSync(join(path, files[1]));
  assert.is(
    refusal(path),
    `${files[1]}: is missing\n  try: model.safetensors.index.json names it: fetch it into the same folder`,
  );
  writeFileSync(join(path, files[1]), "short");
  assert.match(refusal(path), `${files[1]}: has 5 bytes: a safetensors file starts with`);
  assert.match(
    refusal(folder({ [table]: files[1], [norm]: files[1] })),
    `${files[1]}: is said to hold ${table} but does not`,
  );
});

test("an index may name files beside it and nothing else", () => {
  for (const file of [
    "../model.safetensors",
    "/etc/x.safetensors",
    "a/b.safetensors",
    "..\\x.safetensors",
    "x.bin",
    "..",
  ])
    assert.match(refusal(folder({ [table]: file })), `which is no .safetensors file beside it`);
  assert.match(refusal(folder({ [table]: 7 })), `names no file for ${table}`);
  assert.match(refusal(folder({})), "has an empty weight_map");
  assert.match(refusal(withIndex("[]")), "is not a JSON object");
  assert.match(refusal(withIndex("{")), "is not JSON");
  assert.match(refusal(withIndex('{"weight_map": []}')), "model.safetensors.index.json: has no weight_map");
  // An index that names itself is no shard.
  assert.match(refusal(folder({ [table]: "model.safetensors.index.json" })), "which is no .safetensors file beside it");
});

test.run();
