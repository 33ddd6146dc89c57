import { join } from "node:path";
import { type CompileOptions, compileProgram } from "../../src/cli/support/compile-program.ts";
import { tempFolder } from "./temp.ts";

export const quantizedProgram = "graphs/gpt2-fa2-kv-fused.ts";

/** Its smallest configuration in w8a16, or as the options say. */
export const compileQuantized = (options: CompileOptions) =>
  compileProgram(quantizedProgram, {
    config: "tiny",
    precision: "w8a16",
    out: join(tempFolder(), "build"),
    ...options,
  });
