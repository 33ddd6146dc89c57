import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand } from "../support/cli.ts";

test("compares with the untouched model and with Hugging Face, one line each", async () => {
  const { code, stdout, stderr } = await runCommand("verify", ["graphs/gpt2-fa2-kv-fused.ts"]);
  assert.is(code, 0, stderr);
  const lines = stdout.trim().split("\n");
  assert.match(lines[0]!, /^against +what +max error$/);
  assert.ok(
    lines.some((l) => /^untouched model, f64 +logits after 65 tokens +[\d.]+e-\d+ +ok$/.test(l)),
    stdout,
  );
  assert.ok(
    lines.some((l) => /^Hugging Face [\d.]+, tiny +logits after 128 tokens +[\d.]+e-\d+ +ok$/.test(l)),
    stdout,
  );
  assert.ok(
    lines.some((l) => /^Hugging Face [\d.]+, tiny +greedy tokens after 64 that differ +0 +ok$/.test(l)),
    stdout,
  );
});

test("a program in parts is verified like one in one piece", async () => {
  const { code, stdout, stderr } = await runCommand("verify", ["graphs/gemma3-270m.ts", "--parts", "3"]);
  assert.is(code, 0, stderr);
  assert.match(stdout, /\nHugging Face [\d.]+, gemma3-tiny +greedy tokens after 150 that differ +0 +ok\n/);
});

test("a difference that is too large has exit code 1", async () => {
  const args = ["graphs/gpt2-fused.ts", "--precision", "f16", "--tolerance", "1e-7"];
  const { code, stdout, stderr } = await runCommand("verify", args);
  assert.is(code, 1);
  assert.match(stdout, /MORE THAN 1e-7/);
  assert.match(
    stderr,
    /^error: graphs\/gpt2-fused.ts: differs in \d+ of \d+ comparisons\n {2}try: a larger --tolerance, as f16 rounds what it stores; or prove the passes one by one/,
  );
});

test("--json gives the same as a document; other weights have no Hugging Face numbers", async () => {
  const { code, stdout } = await runCommand("verify", ["graphs/gpt2-baseline.ts", "--seed", "5", "--json"]);
  assert.is(code, 0);
  const { ok, rows } = JSON.parse(stdout);
  assert.is(ok, true);
  assert.ok(
    rows.length >= 5 &&
      rows.every((r: { against: string; error: number }) => r.against === "untouched model, f64" && r.error < 1e-5),
  );
});

test.run();
