/** Small Gemma 3 models against transformers, read from the files that people have: GGUF, and shards of a model that also sees. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, type Goldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { build, withSession } from "../support/builds.ts";
import { gemmaGguf, seededTensors } from "../support/gemma-gguf.ts";
import { writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

const gguf = ({ checkpoint = {} }: Goldens): Promise<string> => gemmaGguf(checkpoint);

/** The way in which checkpoints that also see images were saved: a prefix, a configuration inside, several files. */
async function shards(goldens: Goldens): Promise<string> {
  const folder = join(tempFolder(), "checkpoint");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ model_type: "gemma3", text_config: goldens.checkpoint, eos_token_id: [1, 106] }),
  );
  const map: Record<string, string> = {};
  const tensors = await seededTensors(goldens.checkpoint ?? {});
  for (const part of [0, 1, 2]) {
    const file = `model-0000${part + 1}-of-00003.safetensors`;
    const mine = tensors.filter((_, i) => i % 3 === part);
    for (const t of mine) map[`language_model.${t.name}`] = file;
    writeSafeTensors(
      join(folder, file),
      Object.fromEntries(
        mine.map(({ name, shape, data }) => [`language_model.${name}`, { dtype: "F32", shape, data }]),
      ),
    );
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
  return folder;
}

for (const [model, kind, write] of [
  ["gemma3-mqa", "GGUF", gguf],
  ["gemma3-wide", "GGUF", gguf],
  ["gemma3-tiny", "shards", shards],
] as const)
  test(`${model} from ${kind}: logits within 1e-4 of transformers and the same greedy text`, async () => {
    const goldens = readGoldens(model);
    const folder = await build("gemma3-270m", { weights: await write(goldens) });
    await withSession(folder, async (session) => {
      for await (const { kind, prompt, length, error } of compareWithGoldens(session, goldens)) {
        if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${prompt} that differ`);
        else assert.ok(error < 1e-4, `logits after ${prompt} (${length} tokens) differ by ${error}`);
      }
      if (kind === "shards") assert.equal(session.build.manifest.model.eos, [1, 106]);
    });
    const { weights } = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
    assert.is(weights.source, kind === "GGUF" ? "small.gguf" : "checkpoint/model.safetensors.index.json");
  });

test.run();
