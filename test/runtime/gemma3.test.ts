/** Gemma 3 against Hugging Face transformers: three small models with made-up weights, read as checkpoints are. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, type Goldens, readGoldens } from "../../src/cli/support/goldens.ts";
import { paramsOf } from "../../src/codegen/compile.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import { build, withSession } from "../support/builds.ts";
import { writeSafeTensors } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

/** A Hugging Face folder with the weights of the goldens. */
async function checkpointOf({ checkpoint = {} }: Goldens): Promise<string> {
  const { module } = (await loadProgram("graphs/gemma3-270m.ts")).build({ checkpoint });
  const weights = seededWeights();
  const folder = join(tempFolder(), "checkpoint");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(checkpoint));
  writeSafeTensors(
    join(folder, "model.safetensors"),
    Object.fromEntries(
      paramsOf(module).map(({ name, shape }) => [name, { dtype: "F32", shape, data: weights.read(name, shape) }]),
    ),
  );
  return folder;
}

for (const model of ["gemma3-tiny", "gemma3-mqa", "gemma3-wide"])
  test(`${model}: logits within 1e-4 and the same greedy text`, async () => {
    const goldens = readGoldens(model);
    assert.ok(goldens.forward.length > 5 && goldens.greedy.length > 1);
    await withSession(await build("gemma3-270m", { weights: await checkpointOf(goldens) }), async (session) => {
      for await (const { kind, prompt, length, error } of compareWithGoldens(session, goldens)) {
        const what = `${prompt} (${length} tokens)`;
        if (kind === "greedy") assert.is(error, 0, `greedy tokens after ${what} that differ`);
        else assert.ok(error < 1e-4, `logits after ${what} differ by ${error}`);
      }
    });
  });

test.run();
