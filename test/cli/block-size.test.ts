/** How many inputs share a scale where nobody says, and what Qualcomm's compiler then makes of it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { blockSizeOf } from "../../src/cli/support/block-size.ts";
import { compileProgram } from "../../src/cli/support/compile-program.ts";
import { blockSizeOption } from "../../src/cli/support/options.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { finalizeLevel } from "../../src/htp/index.ts";
import { runPasses } from "../../src/passes/run.ts";
import { splitLinears } from "../../src/passes/split-linears.ts";
import { tempFolder } from "../support/temp.ts";

async function graphOf(name: string) {
  const program = await loadProgram(`graphs/${name}.ts`);
  const options = { contexts: [64] };
  return runPasses(program.build("tiny").module, [...program.passes, splitLinears], options).module.graph;
}

test("blocks where heads share keys and values, on the NPU alone; what is asked for goes first", async () => {
  const [gemma, gpt2] = [await graphOf("gemma3-270m"), await graphOf("gpt2-fa2-kv-fused")];
  assert.is(blockSizeOf(undefined, { graph: gemma, target: "x-elite" }), 32);
  assert.is(blockSizeOf("none", { graph: gemma, target: "x-elite" }), undefined);
  assert.is(blockSizeOf(64, { graph: gemma, target: "x-elite" }), 64);
  assert.is(blockSizeOf(undefined, { graph: gemma, target: "phoenix" }), undefined);
  assert.is(blockSizeOf(undefined, { graph: gemma }), undefined);
  assert.is(blockSizeOf(undefined, { graph: gpt2, target: "x-elite" }), undefined);
});

test("the manifest has the size that was taken, where any weights have 4 bits", async () => {
  const compiled = async (precision: "w8a16" | "w4a16", blockSize?: "none") => {
    const { manifest } = await compileProgram("graphs/gemma3-270m.ts", {
      config: "tiny",
      target: "x-elite",
      contexts: [64],
      context: false,
      precision,
      ...(blockSize && { quantize: { blockSize } }),
      out: `${tempFolder()}/gemma`,
    });
    return manifest.blockSize;
  };
  assert.is(await compiled("w4a16"), 32);
  assert.is(await compiled("w4a16", "none"), undefined);
  assert.is(await compiled("w8a16"), undefined);
});

test("a step that unpacks blocks is scheduled by level 3, one that only reads by level 2", () => {
  const level = (precision: "f16" | "w8a16" | "w4a16", blockSize?: number, tokens = 1) =>
    finalizeLevel({ tokens, fixedPoint: precision !== "f16" }, { precision, ...(blockSize && { blockSize }) });
  assert.equal([level("f16"), level("w8a16"), level("w4a16"), level("w8a16", 32)], [2, 2, 2, 2]);
  assert.equal([level("w4a16", 32), level("w4a16", undefined, 128)], [3, 3]);
});

test("the option takes the sizes there are, or none", () => {
  const { parseArg } = blockSizeOption();
  assert.is(parseArg!("64", undefined), 64);
  assert.is(parseArg!("none", undefined), "none");
  assert.throws(() => parseArg!("48", undefined), /expected one of 32, 64, 128, none\./);
});

test.run();
