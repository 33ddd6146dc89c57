/** The real weights of Gemma 3 270M, which `npm run setup:gemma` fetches. */
import { existsSync } from "node:fs";

const file = ".gemma/gemma-3-270m-q4_k_m.gguf";

/** Path of the GGUF file; undefined, with a word on why tests are left out, where it is not there. @throws where it must be. */
export function gemmaFile(): string | undefined {
  if (existsSync(file)) return file;
  if (process.env.HEDDLE_REQUIRE_GEMMA === "1") throw new Error(`${file} is missing: npm run setup:gemma`);
  console.log(`tests with Gemma's weights are left out: npm run setup:gemma fetches ${file}`);
  return undefined;
}
