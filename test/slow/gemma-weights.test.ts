/** docs/gemma.md is true: its commands compile Gemma's real weights and make text of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Manifest } from "../../src/codegen/manifest.ts";
import { runCommand } from "../support/cli.ts";
import { gemmaFile } from "../support/gemma.ts";
import { tempFolder } from "../support/temp.ts";

const page = readFileSync("docs/gemma.md", "utf8");
const out = join(tempFolder(), "gemma3-270m");
const real = gemmaFile() ? test : test.skip;

/** The first command of the page that begins so, with its folder replaced, as arguments. */
function commandOf(start: string): string[] {
  const line = page.split("\n").find((l) => l.startsWith(start))!;
  const words = [...line.slice(start.length).matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2]!);
  return words.filter((w) => w !== "--").map((w) => (w === "build/gemma3-270m" ? out : w));
}

real("the page's compile keeps the blocks of the file", async () => {
  const { code, stdout, stderr } = await runCommand("compile", [...commandOf("npm run compile "), "--out", out]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /^gemma3-270m: gemma3 \(checkpoint\), native weights, for reference\n/);
  assert.match(stdout, /\nkeep-blocks +128 /);
  const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")) as Manifest;
  assert.is(manifest.precision, "native");
  assert.is(manifest.weights.source, ".gemma/gemma-3-270m-q4_k_m.gguf");
  assert.ok(manifest.weights.bytes < 253_113_024, `${manifest.weights.bytes} bytes, more than the file`);
  assert.equal([manifest.tokenizer, manifest.model.eos], ["vocabulary.json", [1, 106]]);
});

real("its generate makes sense of a prompt", async () => {
  const { code, stdout, stderr } = await runCommand("generate", commandOf("npm run generate "));
  assert.is(code, 0, stderr);
  assert.match(stdout, /^The capital of France is the capital of /);
  assert.match(stderr, /\ndecode +23 tokens in /);
});

real("an empty prompt has <bos> to continue; a base model does not converse", async () => {
  const empty = await runCommand("generate", [out, "--tokens", "3", "--json"], "");
  assert.is(JSON.parse(empty.stdout).tokens.length, 3, empty.stderr);
  const chat = await runCommand("generate", [out, "--chat"], "Hello\n");
  assert.is(chat.code, 1);
  assert.match(chat.stderr, /has no chat template: the model was not trained to converse/);
});

test.run();
