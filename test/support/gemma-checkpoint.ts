/** Small Gemma 3 models with made-up weights, as the Hugging Face folders that real ones come in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { paramsOf } from "../../src/codegen/compile.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import { writeSafeTensors } from "./safetensors.ts";
import { tempFolder } from "./temp.ts";

/**
 * @param config what config.json says.
 * @param factorOf by what a tensor is multiplied, by its name; by default nothing is.
 * @returns the folder
 */
export async function seededGemma(
  config: Readonly<Record<string, unknown>>,
  factorOf: (name: string) => number = () => 1,
): Promise<string> {
  const { module } = (await loadProgram("graphs/gemma3-270m.ts")).build({ checkpoint: config });
  const weights = seededWeights();
  const folder = join(tempFolder(), "checkpoint");
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const tensors = paramsOf(module).map(({ name, shape }) => {
    const data = weights.read(name, shape).map((x) => x * factorOf(name));
    return [name, { dtype: "F32", shape, data }] as const;
  });
  writeSafeTensors(join(folder, "model.safetensors"), Object.fromEntries(tensors));
  return folder;
}
