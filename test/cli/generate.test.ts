import { copyFileSync, cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readGoldens } from "../../src/cli/support/goldens.ts";
import { build } from "../support/builds.ts";
import { runCommand } from "../support/cli.ts";
import { tempFolder } from "../support/temp.ts";

const bible = await build("gpt2-fa2-kv-fused", { weights: "test/fixtures/gpt2-bible" });
const tiny = await build("gpt2-fa2-kv");
const generate = (...args: string[]) => runCommand("generate", args);

test("streams the very text that Hugging Face makes", async () => {
  const { prompt, tokens, text } = readGoldens("fixture").greedy.find((g) => g.text !== undefined)!;
  const args = ["--prompt", prompt, "--tokens", String(tokens.length), "--ignore-eos"];
  const { code, stdout, stderr } = await generate(bible, ...args);
  assert.is(code, 0, stderr);
  assert.is(stdout, `${prompt}${text}\n`);
  assert.is(stderr, "");
});

test("reads the prompt from stdin", async () => {
  const { code, stdout } = await runCommand("generate", [bible, "--tokens", "4"], "In the beginning\n");
  assert.is(code, 0);
  assert.match(stdout, /^In the beginning[^\n]+\n/);
});

test("a prompt that is not UTF-8 is refused: what would stand in its place nobody asked for", async () => {
  const marked = Buffer.from("\ufeffIn the beginning");
  const { stdout } = await runCommand("generate", [bible, "--tokens", "2"], marked);
  assert.match(stdout, /^In the beginning/);
  const { code, stderr } = await runCommand(
    "generate",
    [bible],
    Buffer.from("In the beginning", "utf16le").fill(0xff, 0, 1),
  );
  assert.is(code, 1);
  assert.is(
    stderr,
    "error: the prompt on stdin: is not text in UTF-8\n  try: convert it first: iconv -f UTF-16 -t UTF-8\n",
  );
});

test("a prompt of - is stdin too", async () => {
  const { stdout } = await runCommand("generate", [bible, "--prompt", "-", "--tokens", "2"], "In the beginning\nGod");
  assert.match(stdout, /^In the beginning\nGod/);
});

test("a model's own sampling is the default, printed, and what the command line says counts", async () => {
  const folder = join(tempFolder(), "sampled");
  cpSync("test/fixtures/gpt2-bible", folder, { recursive: true });
  const sampling = { do_sample: true, temperature: 0.7, top_k: 40, top_p: 0.9, eos_token_id: [0, 13] };
  writeFileSync(join(folder, "generation_config.json"), JSON.stringify(sampling));
  const out = join(tempFolder(), "sampled-build");
  const compiled = await runCommand("compile", ["graphs/gpt2-fa2-kv-fused.ts", "--weights", folder, "--out", out]);
  assert.match(
    compiled.stdout,
    "\nby default generate samples with temperature 0.7, top-k 40, top-p 0.9; tokens 0, 13 end a text\n",
  );
  const args = ["--prompt", "And he said", "--tokens", "12", "--ignore-eos"];
  const own = await generate(out, ...args);
  assert.match(own.stderr, /^samples with temperature 0.7, top-k 40, top-p 0.9, seed 0; tokens 0, 13 end a text\n/);
  const said = await generate(bible, ...args, "--temperature", "0.7", "--top-k", "40", "--top-p", "0.9");
  assert.is(own.stdout, said.stdout);
  const greedy = await generate(out, ...args, "--temperature", "0");
  assert.match(greedy.stderr, /^takes the most likely token; tokens 0, 13 end a text\n/);
  assert.is(greedy.stdout, (await generate(bible, ...args)).stdout);
});

test("--chat answers each line of stdin through a template", async () => {
  const template = join(tempFolder(), "t.jinja");
  writeFileSync(template, "{% for m in messages %}{{ m.content }}\n{% endfor %}");
  const args = [bible, "--chat", "--chat-template", template, "--tokens", "4", "--ignore-eos"];
  const { code, stdout, stderr } = await runCommand("generate", args, "And it came to pass\n\nAnd he said\n");
  assert.is(code, 0, stderr);
  assert.match(stdout, /^> And it came to pass\n[^>]+\n> And he said\n[^>]+\n$/);
  const { turns } = JSON.parse((await runCommand("generate", [...args, "--json", "--prompt", "And he said"])).stdout);
  assert.is(turns.length, 1);
  assert.is(turns[0].user, "And he said");
  assert.is(turns[0].tokens.length, 4);
  const none = await generate(bible, "--chat", "--prompt", "hi");
  assert.match(none.stderr, /has no chat template: the model was not trained to converse/);
});

test("--stats prints cache memory, append time, work saved and speed", async () => {
  const { code, stderr } = await generate(bible, "--prompt", "And it came to pass", "--tokens", "20", "--stats");
  assert.is(code, 0, stderr);
  assert.match(stderr, /\nprefill +\d+ tokens in [\d.]+ ms, [\d.]+ tokens\/s\n/);
  assert.match(stderr, /\ndecode +19 tokens in [\d.]+ m?s, [\d.]+ tokens\/s\n/);
  assert.match(stderr, /\ncache +[\d.]+ MB, \d+ of 256 tokens used, at most [\d.]+ MB\n/);
  assert.match(stderr, /\nappend +[\d.]+ ms, in place, inside the graph\n/);
  assert.match(stderr, /\nsaved +\d\d\.\d% of keys and values: \d+ tokens taken from the cache, \d+ computed\n/);
  assert.match(stderr, /\ngraphs +.*decode-256 built in /);
});

test("--json gives text, tokens and statistics, the same for the same seed", async () => {
  const args = [
    bible,
    "--prompt",
    "In the",
    "--tokens",
    "12",
    "--temperature",
    "1",
    "--top-k",
    "40",
    "--top-p",
    "0.95",
    "--json",
  ];
  const [a, b, c] = await Promise.all([
    generate(...args, "--seed", "7"),
    generate(...args, "--seed", "7"),
    generate(...args, "--seed", "8"),
  ]);
  const [x, y, z] = [a, b, c].map(({ stdout }) => JSON.parse(stdout));
  assert.ok(x.tokens.length > 0 && x.stats.computedTokens > 0);
  assert.equal(y.tokens, x.tokens);
  assert.is(y.text, x.text);
  assert.not.equal(z.tokens, x.tokens);
});

test("made-up weights and a missing tokenizer are said", async () => {
  const { code, stdout, stderr } = await generate(tiny, "--prompt", "ab", "--tokens", "3");
  assert.is(code, 0);
  assert.match(stdout, /^(\d+ ){3}\n$/);
  assert.match(stderr, "no tokenizer: the prompt goes in as bytes, tokens come out as numbers\n");
  assert.match(stderr, "weights are made up (seeded:0): the text is noise\n");
});

test("a prompt longer than the context", async () => {
  const long = "a".repeat(129);
  const { code, stderr } = await generate(tiny, "--prompt", long);
  assert.is(code, 1);
  assert.match(
    stderr,
    "error: the prompt is 129 tokens long; the context holds 128\n  try: shorten it, or let the window slide (--overflow slide)",
  );
  const full = await generate(tiny, "--prompt", "a".repeat(120));
  assert.is(full.code, 1);
  assert.match(full.stdout, /^(\d+ ){9}\n$/, "the text has a line of its own");
  assert.match(full.stderr, "error: with this token the sequence is 129 tokens long; the context holds 128\n");
  const slid = await generate(tiny, "--prompt", long, "--overflow", "slide", "--tokens", "80", "--stats");
  assert.is(slid.code, 0, slid.stderr);
  assert.match(slid.stderr, /\nslides +2 times\n/);
});

/** A copy of the tiny build, to be broken. */
function copyOf(change: (folder: string) => void): string {
  const folder = join(tempFolder(), "copy");
  mkdirSync(join(folder, "qnn"), { recursive: true });
  for (const f of ["manifest.json", ...["decode", "prefill"].map((e) => `qnn/${e}-64.qnn.json`), "qnn/weights.bin"])
    copyFileSync(join(tiny, f), join(folder, f));
  change(folder);
  return folder;
}

test("damaged builds are refused in words", async () => {
  const refusal = async (change: (folder: string) => void) => {
    const { code, stderr } = await generate(copyOf(change), "--prompt", "a");
    assert.is(code, 1);
    return stderr;
  };
  const [format, weights, graph, missing] = await Promise.all([
    refusal((f) => writeFileSync(join(f, "manifest.json"), '{"format": "other"}')),
    refusal((f) => truncateSync(join(f, "qnn/weights.bin"), 1000)),
    refusal((f) =>
      writeFileSync(
        join(f, "qnn/decode-64.qnn.json"),
        readFileSync(join(f, "qnn/decode-64.qnn.json"), "utf8").slice(0, 500),
      ),
    ),
    refusal((f) =>
      writeFileSync(
        join(f, "manifest.json"),
        readFileSync(join(f, "manifest.json"), "utf8").replaceAll("decode-64.qnn", "nothing.qnn"),
      ),
    ),
  ]);
  assert.match(
    format,
    /error: .*manifest.json: is of format "other"; this version of Heddle reads heddle.build\/1 and heddle.parts\/1\n {2}try: compile/,
  );
  assert.match(weights, /error: .*weights.bin: has 1000 bytes; the manifest says \d+\n {2}try: compile it again/);
  assert.match(graph, /error: .*decode-64.qnn.json: is not JSON: /);
  assert.match(missing, /error: .*nothing.qnn.json: is missing\n {2}try: compile it again/);
});

test("a build and a backend that do not belong together", async () => {
  const wide = await build("gpt2-fa2-kv", { config: "tiny", target: "x-elite", precision: "f32" });
  const quantised = { config: "tiny", target: "x-elite", precision: "w8a16", context: false } as const;
  const integers = await build("gpt2-fa2-kv", quantised);
  const [fused, single, threads, cpu, wrong] = await Promise.all([
    generate(tiny, "--prompt", "a", "--backend", "htp"),
    generate(wide, "--prompt", "a", "--backend", "htp"),
    generate(tiny, "--prompt", "a", "--backend", "qnn-cpu", "--threads", "2"),
    generate(tiny, "--prompt", "a", "--backend", "qnn-cpu"),
    generate(integers, "--prompt", "a", "--backend", "qnn-cpu"),
  ]);
  assert.is(fused.code, 1);
  assert.is(
    fused.stderr,
    `error: ${tiny}: was compiled for the reference backend, whose fused ops htp does not have\n  try: compile it with --target x-elite --precision f16\n`,
  );
  assert.is(
    single.stderr,
    `error: ${wide}: was compiled in f32, and HTP has no f32 arithmetic\n  try: compile it with --target x-elite --precision f16, or run it with --backend qnn-cpu\n`,
  );
  assert.is(
    cpu.stderr,
    `error: ${tiny}: was compiled for the reference backend, whose fused ops qnn-cpu does not have\n  try: compile it with --target x-elite --precision f32\n`,
  );
  assert.is(
    wrong.stderr,
    `error: ${integers}: was compiled in w8a16, which Qualcomm's CPU library does not compute in\n  try: compile it with --target x-elite --precision f32, or run it with --backend htp\n`,
  );
  assert.is(threads.stderr, "error: backend qnn-cpu: has no choice of threads; only the reference backend has\n");
});

test("usage errors have exit code 2", async () => {
  for (const [args, says] of [
    [[tiny, "--promt", "a"], "error: unknown option '--promt'\n(Did you mean --prompt?)"],
    [
      [tiny, "--tokens", "0"],
      "error: option '-n, --tokens <n>' argument '0' is invalid. expected a whole number, 1 or more.",
    ],
    [
      [tiny, "--threads", "10000"],
      "error: option '--threads <n>' argument '10000' is invalid. expected a whole number from 1 to 1024.",
    ],
    [
      [tiny, "--backend", "gpu"],
      "error: option '--backend <name>' argument 'gpu' is invalid. Allowed choices are reference, qnn-cpu, htp, aie-sim, xrt.",
    ],
    [[], "error: missing required argument 'build'"],
  ] as const) {
    const { code, stderr } = await generate(...args);
    assert.is(code, 2);
    assert.ok(stderr.startsWith(says), stderr);
  }
});

test("what only a chat takes is not dropped where there is none", async () => {
  const { code, stderr } = await generate(tiny, "--prompt", "a", "--system", "Be kind.");
  assert.is(code, 1);
  assert.is(stderr, "error: --system: has a meaning in a chat only\n  try: --chat with it, or leave it out\n");
});

test("a folder that is no build, and an empty prompt, have exit code 1", async () => {
  const none = await generate("build/nothing", "--prompt", "a");
  assert.is(none.code, 1);
  assert.match(
    none.stderr,
    "error: build/nothing: there is no such folder\n  try: npm run compile graphs/gpt2-fa2-kv.ts writes build/gpt2-fa2-kv\n",
  );
  const empty = await generate(tiny, "--prompt", "");
  assert.is(empty.code, 1);
  assert.match(empty.stderr, "error: the prompt is empty: at least one token is needed\n  try: a word to go on from\n");
});

test.run();
