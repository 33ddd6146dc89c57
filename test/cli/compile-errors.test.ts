/** Bad input of every kind: what is said about it, the exit code, and that nothing half-written stays behind. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { tinyCheckpoint } from "../support/checkpoint.ts";
import { runCommand } from "../support/cli.ts";
import { fixture } from "../support/held-out.ts";
import { f32, headerOf } from "../support/safetensors.ts";
import { tempFolder } from "../support/temp.ts";

const program = "graphs/gpt2-fa2-kv.ts";

interface Case {
  readonly name: string;
  readonly args: () => readonly string[];
  /** All of stderr, `*` standing for anything. */
  readonly says: string;
  readonly code?: number;
}
const broken = (...args: Parameters<typeof tinyCheckpoint>) => [program, "--weights", tinyCheckpoint(...args)];

const cases: readonly Case[] = [
  {
    name: "shape mismatch in a graph file",
    args: () => ["test/cli/bad/shape-mismatch.ts"],
    says: `error: test/cli/bad/shape-mismatch.ts:10:13: linear %y: x has 256 columns but w takes 512: x is f32[Tx256], w is f32[64x512] ([out, in])
`,
  },
  {
    name: "a weight that no checkpoint has, made-up weights",
    args: () => ["test/cli/bad/unknown-weight.ts"],
    says: `error: weight h.0.ln_1.bais: is not a weight of GPT-2 or Gemma 3: *
  try: use a Hugging Face name such as h.0.attn.c_attn.weight, or give a checkpoint with --weights
`,
  },
  {
    name: "a weight that this checkpoint does not have",
    args: () => ["test/cli/bad/unknown-weight.ts", "--weights", tinyCheckpoint()],
    says: `error: model.safetensors: does not fit the model:
  h.0.ln_1.bais is missing; the nearest name there is h.0.ln_1.bias
*`,
  },
  {
    name: "a file that exports no program",
    args: () => ["test/cli/bad/no-program.ts"],
    says: `error: test/cli/bad/no-program.ts: exports no program
  try: export default program({ model: gpt2, passes: [flashAttention] })
`,
  },
  {
    name: "no such graph file",
    args: () => ["graphs/gpt3.ts"],
    says: `error: graphs/gpt3.ts: there is no such file
  try: a graph file such as graphs/gpt2-fa2-kv.ts
`,
  },
  {
    name: "a graph file that is no TypeScript",
    args: () => ["README.md"],
    says: `error: README.md: is not a graph file: those are TypeScript
  try: a graph file such as graphs/gpt2-fa2-kv.ts
`,
  },
  {
    name: "weights of another kind of file",
    args: () => [program, "--weights", "README.md"],
    says: `error: --weights README.md: is not a .safetensors or .gguf file
  try: give a .safetensors or .gguf file, or a Hugging Face folder with config.json and model.safetensors
`,
  },
  {
    name: "weights of another model",
    args: () => ["graphs/gemma3-270m.ts", "--weights", fixture],
    says: `error: model gemma3, config.json: model_type is "gpt2"; this model needs "gemma3_text"
  try: other weights, or a graph file of the model that these are of
`,
  },
  {
    name: "layers of a model that cannot be taken apart",
    args: () => [program, "--config", "tiny", "--layers", "0"],
    says: `error: model gpt2: cannot be taken apart into layers
  try: leave --layers out; graphs/gemma3-27b.ts is a program that can
`,
  },
  {
    name: "a text to calibrate on that is not UTF-8",
    args: () => {
      const file = join(tempFolder(), "text.txt");
      writeFileSync(file, Buffer.from("In the beginning", "utf16le").fill(0xff, 0, 2));
      return [program, "--weights", fixture, "--precision", "w8a16", "--calibration", file];
    },
    says: `error: --calibration *text.txt: is not text in UTF-8
  try: convert it first: iconv -f UTF-16 -t UTF-8
`,
  },
  {
    name: "a context size that is no size of a cache",
    args: () => [program, "--config", "tiny", "--contexts", "100"],
    says: `error: --contexts: a cache cannot have 100 places
  try: multiples of 64, such as 128
`,
  },
  {
    name: "a context longer than the model has positions for",
    args: () => [program, "--config", "tiny", "--contexts", "64,256"],
    says: `error: --contexts: the model has no 256 positions
  try: 128 at most
`,
  },
  {
    name: "a context of a program that keeps none",
    args: () => ["graphs/gpt2-fused.ts", "--config", "tiny", "--contexts", "64"],
    says: `error: --contexts: program gpt2-fused keeps no context
  try: only programs with the pass kv-cache have contexts
`,
  },
  {
    name: "no such weights",
    args: () => [program, "--weights", "nowhere.safetensors"],
    says: `error: --weights nowhere.safetensors: there is no such file or folder
  try: give a .safetensors or .gguf file, or a Hugging Face folder with config.json and model.safetensors
`,
  },
  {
    name: "a missing tensor",
    args: () => broken((t) => delete t["h.1.mlp.c_fc.bias"]),
    says: `error: model.safetensors: does not fit the model:
  h.1.mlp.c_fc.bias is missing; the nearest name there is h.*.mlp.c_*.bias
  try: choose the matching configuration with --config, or give the folder with the checkpoint's config.json
`,
  },
  {
    name: "an extra tensor",
    args: () => broken((t) => (t["h.2.ln_1.bias"] = f32([64], 0))),
    says: `error: model.safetensors: does not fit the model:
  h.2.ln_1.bias is not a weight of the model
  try: *
`,
  },
  {
    name: "a checkpoint of another size",
    args: () => [...broken(), "--config", "124m"],
    says: `error: model.safetensors: does not fit the model:
  wte.weight is [256x64]; the model wants [50257x768]
*
  and * more
  try: choose the matching configuration with --config, *
`,
  },
  {
    name: "a wrong dtype",
    args: () => broken((t) => (t["ln_f.bias"] = { dtype: "I64", shape: [64], data: new BigInt64Array(64) })),
    says: `error: model.safetensors: does not fit the model:
  ln_f.bias is I64; weights must be F32, F16 or BF16
*`,
  },
  {
    name: "NaN in a weight",
    args: () => broken((t) => ((t["h.0.mlp.c_fc.weight"]!.data as Float32Array)[300] = Number.NaN)),
    says: `error: *model.safetensors, tensor h.0.mlp.c_fc.weight: has NaN at [1, 44]; weights must be finite
  try: use another checkpoint: this one is broken, as after a training run that diverged
`,
  },
  {
    name: "a truncated file",
    args: () => broken(undefined, { extra: -100 }),
    says: `error: model.safetensors, tensor ln_f.bias: ends at byte * but the file has *: it is truncated, or its offsets lie
  try: fetch the file again: it is damaged, or it is not a safetensors file
`,
  },
  {
    name: "a header that lies about its length",
    args: () => broken(undefined, { declared: 2n ** 40n }),
    says: `error: model.safetensors: declares a header of 1099511627776 bytes; the format allows 100000000
*`,
  },
  {
    name: "a header that lies about a shape",
    args: () =>
      broken(undefined, {
        header: JSON.stringify({
          ...headerOf({}),
          "wte.weight": { dtype: "F32", shape: [256, 64], data_offsets: [0, 16] },
        }),
      }),
    says: `error: model.safetensors, tensor wte.weight: is F32 [256x64], 65536 bytes, but its data_offsets [0, 16] hold 16
*`,
  },
  {
    name: "an unknown configuration",
    args: () => [program, "--config", "huge"],
    says: `error: model gpt2: has no configuration huge
  try: one of 124m, tiny
`,
  },
  {
    name: "an unknown option",
    args: () => [program, "--wieghts", "x"],
    says: `error: unknown option '--wieghts'
(Did you mean --weights?)
(all options: npm run compile -- --help)
`,
    code: 2,
  },
  {
    name: "an unknown target",
    args: () => [program, "--target", "m4"],
    says: `error: option '--target <name>' argument 'm4' is invalid. Allowed choices are reference, x-elite, phoenix, strix.
*`,
    code: 2,
  },
  { name: "no graph file", args: () => [], says: "error: missing required argument 'graph'\n*", code: 2 },
  {
    name: "a seed that is no number",
    args: () => [program, "--seed", "many"],
    says: "error: option '--seed <n>' argument 'many' is invalid. expected a whole number, 0 or more.\n*",
    code: 2,
  },
];

const matches = (text: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((s) => s.replace(/[.\\^$+?()[\]{}|]/g, "\\$&"))
      .join("[^]*")}$`,
  ).test(text);

// Each takes a second or so, most of it waiting for its turn: two at a time.
const results = new Map<Case, Promise<{ ran: Awaited<ReturnType<typeof runCommand>>; left: string[] }>>();
let last: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
cases.forEach((c, i) => {
  const lane = i % last.length;
  const result = last[lane]!.then(async () => {
    const parent = tempFolder();
    const ran = await runCommand("compile", [...c.args(), "--out", join(parent, "out")]);
    return { ran, left: readdirSync(parent) };
  });
  results.set(c, result);
  last = last.with(lane, result);
});

for (const c of cases)
  test(c.name, async () => {
    const { ran, left } = await results.get(c)!;
    assert.ok(matches(ran.stderr, c.says), `stderr is:\n${ran.stderr}\nexpected:\n${c.says}`);
    assert.is(ran.stdout, "");
    assert.is(ran.code, c.code ?? 1);
    assert.equal(left, [], "nothing stays behind");
  });

test("a failed compile leaves the build that was there as it was", async () => {
  const out = join(tempFolder(), "out");
  const good = await runCommand("compile", [program, "--config", "tiny", "--out", out]);
  assert.is(good.code, 0, good.stderr);
  const before = readFileSync(join(out, "manifest.json"), "utf8");
  const bad = await runCommand("compile", [
    ...broken((t) => ((t["wpe.weight"]!.data as Float32Array)[0] = Infinity)),
    "--out",
    out,
  ]);
  assert.is(bad.code, 1);
  assert.is(readFileSync(join(out, "manifest.json"), "utf8"), before);
  assert.equal(readdirSync(join(out, "..")), ["out"]);
});

test("with --json an error is a document too", async () => {
  const { code, stdout, stderr } = await runCommand("compile", ["graphs/gpt3.ts", "--json"]);
  assert.is(code, 1);
  assert.is(stderr, "");
  assert.equal(JSON.parse(stdout), {
    error: {
      message: "graphs/gpt3.ts: there is no such file\n  try: a graph file such as graphs/gpt2-fa2-kv.ts",
      reason: "there is no such file",
      subject: "graphs/gpt3.ts",
      hint: "a graph file such as graphs/gpt2-fa2-kv.ts",
    },
  });
});

test("a folder that is no build is not replaced", async () => {
  const out = tempFolder();
  const { code, stderr } = await runCommand("compile", [program, "--config", "tiny", "--out", "test/cli"]);
  assert.is(code, 1);
  assert.match(stderr, "error: test/cli: is not empty and not a build folder, so it is not replaced");
  assert.ok(existsSync("test/cli") && existsSync(out));
});

test.run();
