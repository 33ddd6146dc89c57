import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const out = join(tempFolder(), "out");
const args = ["graphs/gpt2-fa2-kv-fused.ts", "--config", "tiny", "--out", out];
const first = await runCommand("compile", args);
assert.is(first.code, 0, first.stderr);
const read = (file: string) => readFileSync(join(out, file), "utf8");

test("prints passes, cost per entry point, artifacts, and that weights are made up", () => {
  const text = first.stdout;
  assert.match(text, "gpt2-fa2-kv-fused: gpt2 (tiny), f32 weights, for reference\n");
  assert.match(text, "weights are made up (seeded:0), as no --weights was given: generated text will be noise\n");
  assert.match(text, /\npass +hits +nodes +ms +left alone\n/);
  for (const pass of ["merge-qkv", "fuse-mlp", "flash-attention", "kv-cache"])
    assert.match(text, new RegExp(`\n${pass} +\\d+ +\\d+ → \\d+ +[\\d.]+`));
  assert.match(text, /\nentry point +tokens +context +arithmetic +weights read +caches +activations +cache memory\n/);
  assert.match(text, /\ndecode-128 +1 +128 +[\d.]+ kFLOP +[\d.]+ kB +[\d.]+ kB +[\d.]+ kB +131 kB\n/);
  assert.match(text, "qnn/weights.bin");
  assert.match(text, /\ncompiled in .*: graph file .*, passes .*, code generation .*, weights .*\n/);
  assert.match(text, `next: npm run generate -- ${out} --prompt "any text"`);
  assert.is(first.stderr, "");
});

test("writes manifest, graphs, weights, dumps and report", () => {
  assert.equal(readdirSync(out).sort(), ["ir", "manifest.json", "qnn", "report.html"]);
  const dumps = readdirSync(join(out, "ir")).sort();
  assert.is(dumps[0], "00-model.ir");
  assert.match(read("ir/00-model.ir"), "graph @gpt2<T in 1..128>(%tokens: i32[T]) {");
  const passes = JSON.parse(read("manifest.json")).passes as string[];
  assert.equal(
    dumps.slice(1),
    passes.map((p, i) => `${String(i + 1).padStart(2, "0")}-${p}.ir`),
  );
  assert.equal(readdirSync(join(out, "qnn")).sort(), [
    "decode-128.qnn.json",
    "decode-64.qnn.json",
    "prefill-128.qnn.json",
    "prefill-64.qnn.json",
    "weights.bin",
  ]);
});

test("the report is one page with passes, costs and the graph after every pass", () => {
  const html = read("report.html");
  assert.match(html, "<title>gpt2-fa2-kv-fused · Heddle</title>");
  assert.match(html, "<b>kv-cache</b>");
  assert.match(html, "<b>decode-64</b>");
  assert.match(html, 'class="added">+ ');
  assert.match(html, '<span class="gap">@@ -');
  for (const kind of ["weights", "caches", "activations"]) assert.match(html, `<i class="${kind}"></i>${kind}</span>`);
  assert.match(
    html,
    /<summary>decode-64, op by op<\/summary>\s*<div class="scroll"><table>.*<b>flashCachedAttention<\/b>/,
  );
  // Two layers and what is around them, in four entry points: not only those that move the most.
  for (const [, count] of html.matchAll(/<summary>all (\d+) nodes<\/summary>/g)) assert.ok(Number(count) > 12);
  assert.is([...html.matchAll(/<summary>all \d+ nodes<\/summary>/g)].length, 4);
  assert.match(html, /<code>mlp %h0\.block<\/code>.*graphs\/models\/gpt2\.ts:\d+/);
  assert.not.match(html, /(src|href)="http/);
});

test("a second compile gives equal bytes and does not write the weights again", async () => {
  const files = ["manifest.json", ...readdirSync(join(out, "qnn")).map((f) => `qnn/${f}`)];
  const before = files.map((f) => readFileSync(join(out, f)));
  const inode = statSync(join(out, "qnn/weights.bin")).ino;
  const again = await runCommand("compile", [...args, "--json"]);
  assert.is(again.code, 0, again.stderr);
  const { weightsReused, manifest, passes, artifacts } = JSON.parse(again.stdout);
  assert.is(weightsReused, true);
  assert.is(statSync(join(out, "qnn/weights.bin")).ino, inode);
  for (const [i, f] of files.entries()) assert.ok(readFileSync(join(out, f)).equals(before[i]!), `${f} is the same`);
  assert.is(manifest.weights.source, "seeded:0");
  assert.ok(passes.every((p: { hits: unknown[]; ms: number }) => Array.isArray(p.hits) && p.ms >= 0));
  assert.ok(artifacts.some((a: { file: string }) => a.file === "qnn/weights.bin"));
  const other = await runCommand("compile", [...args, "--seed", "1", "--json"]);
  assert.is(JSON.parse(other.stdout).weightsReused, false);
});

test("--dry-run shows the passes and writes nothing", async () => {
  const folder = join(tempFolder(), "out");
  const dry = ["graphs/gpt2-fused.ts", "--config", "tiny", "--dry-run", "--out", folder];
  const [shown, document] = await Promise.all([
    runCommand("compile", dry),
    runCommand("compile", [...dry, "--check", "--json"]),
  ]);
  assert.is(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /\nfuse-mlp +2 +38 → 34 [\s\S]*\nnothing was written \(--dry-run\)\n$/);
  const { program, passes } = JSON.parse(document.stdout);
  assert.is(program, "gpt2-fused");
  assert.ok(passes.every((p: { proof: { error: { f64: number } } }) => p.proof.error.f64 < 1e-9));
  assert.not(existsSync(folder));
});

test("--dump shows the model and what every pass changed, --check proves every pass", async () => {
  const shown = await runCommand("compile", [
    "graphs/gpt2-fa2-kv.ts",
    "--config",
    "tiny",
    "--out",
    join(tempFolder(), "o"),
    "--dump",
    "--check",
  ]);
  assert.is(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, "\n=== the model ===\ngraph @gpt2<T in 1..128>");
  assert.match(
    shown.stdout,
    /\n=== after flash-attention ===\n@@ -\d+,\d+ \+\d+,\d+ @@\n[\s\S]*\n-.* = attention\([\s\S]*\n\+.* = flashAttention\(/,
  );
  assert.match(
    shown.stdout,
    /\npass .* proved at +f64 error +f32 error\n[\s\S]*\nkv-cache .* T=\d+ C=\d+ +\de-\d+ +\de-\d+\n/,
  );
});

test("a checkpoint brings configuration, tokenizer and end of text; f16 halves the weights", async () => {
  const bytes = async (precision: string) => {
    const folder = join(tempFolder(), precision);
    const ran = await runCommand("compile", [
      "graphs/gpt2-fa2-kv.ts",
      "--weights",
      "test/fixtures/gpt2-bible",
      "--precision",
      precision,
      "--out",
      folder,
      "--json",
    ]);
    assert.is(ran.code, 0, ran.stderr);
    const { manifest, model } = JSON.parse(ran.stdout);
    assert.is(model, "gpt2 (checkpoint)");
    assert.is(manifest.tokenizer, "tokenizer.json");
    assert.is(manifest.weights.source, "gpt2-bible/model.safetensors");
    assert.equal(manifest.model.eos, [0]);
    assert.is(manifest.precision, precision);
    return manifest.weights.bytes as number;
  };
  const [f32, f16] = await Promise.all([bytes("f32"), bytes("f16")]);
  assert.ok(f16 < 0.52 * f32, `${f16} of ${f32}`);
});

test.run();
