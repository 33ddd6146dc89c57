/** `npm run export`: a model that reads back as the same entry point, and what is said about one that does not exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeOnnx } from "../../src/codegen/onnx/index.ts";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const program = "graphs/gpt2-fa2-kv.ts";

test("writes the entry point that was asked for", async () => {
  const file = join(tempFolder(), "decode.onnx");
  const { code, stdout } = await runCommand("export", [
    program,
    "--config",
    "tiny",
    "--entry",
    "decode-64",
    "--out",
    file,
  ]);
  assert.is(code, 0);
  assert.match(stdout, /decode-64 of gpt2-fa2-kv, 0\.\d MB/);
  const { graph } = decodeOnnx(readFileSync(file));
  assert.equal(
    graph.inputs.map((i) => i.name),
    ["tokens", "position", "last", "h0.k_cache", "h0.v_cache", "h1.k_cache", "h1.v_cache"],
  );
});

test("an entry point that does not exist", async () => {
  const file = join(tempFolder(), "decode.onnx");
  const { code, stderr } = await runCommand("export", [
    program,
    "--config",
    "tiny",
    "--entry",
    "decode-99",
    "--out",
    file,
  ]);
  assert.is(code, 1);
  assert.is(
    stderr,
    "error: program gpt2-fa2-kv: has no entry point decode-99\n  try: decode-64; there are prefill-64, decode-64, prefill-128, decode-128\n",
  );
  assert.not(existsSync(file));
});

test("a folder is not replaced by a file", async () => {
  const folder = tempFolder();
  const { code, stderr } = await runCommand("export", [program, "--config", "tiny", "--out", folder]);
  assert.is(code, 1);
  assert.is(
    stderr,
    `error: ${folder}: is not an ordinary file, so it is not replaced\n  try: name a file with --out\n`,
  );
});

test.run();
