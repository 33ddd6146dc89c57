import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { backendFor, type CompileRequest, compileModule } from "../../src/codegen/compile.ts";
import { checkManifest } from "../../src/codegen/manifest.ts";
import { checkQnnGraph } from "../../src/codegen/qnn/index.ts";
import { erf, graph, input } from "../../src/ir/index.ts";
import { seededWeights } from "../../src/weights/seeded.ts";
import type { WeightSource } from "../../src/weights/source.ts";
import { tempFolder } from "../support/temp.ts";
import { compiled, source } from "./programs.ts";

async function request(program: string, out: string, more: Partial<CompileRequest> = {}): Promise<CompileRequest> {
  const { module, info, passes } = await compiled(program);
  const names = passes.map((p) => p.name);
  return { program, module, info, target: "reference", precision: "f32", weights: source, out, passes: names, ...more };
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((f) => statSync(join(folder, f)).isFile())
    .map((f) => f.replaceAll("\\", "/"))
    .sort();

test("a build folder has graphs, weights and a manifest that describes them", async () => {
  const out = join(tempFolder(), "build", "kv");
  const text = {
    tokenizer: { name: "tokenizer.json", content: () => "{}" } as const,
    chat: { template: "{{ messages }}", bos: "<s>" },
  };
  const { manifest } = await compileModule(await request("gpt2-fa2-kv", out, { eos: [255], ...text }));
  assert.equal(filesOf(out), [
    "chat_template.jinja",
    "manifest.json",
    "qnn/decode-128.qnn.json",
    "qnn/decode-64.qnn.json",
    "qnn/prefill-128.qnn.json",
    "qnn/prefill-64.qnn.json",
    "qnn/weights.bin",
    "tokenizer.json",
  ]);
  assert.equal(readdirSync(join(out, "..")), ["kv"], "no temporary folder is left");
  assert.equal(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8")), manifest);
  assert.equal(manifest.passes, ["flash-attention", "kv-cache"]);
  assert.equal(manifest.model.eos, [255]);
  assert.is(manifest.weights.bytes, statSync(join(out, manifest.weights.file)).size);
  const decode = manifest.entries.find((e) => e.name === "decode-128")!;
  assert.equal([decode.role, decode.tokens, decode.context], ["decode", 1, 128]);
  assert.equal(
    decode.inputs.map((i) => `${i.name} ${i.role} ${i.dtype}[${i.shape.join("x")}]`),
    [
      "tokens tokens i32[1]",
      "position position i32[1]",
      "last last i32[1]",
      "h0.k_cache cache f32[2x32x128]",
      "h0.v_cache cache f32[2x128x32]",
      "h1.k_cache cache f32[2x32x128]",
      "h1.v_cache cache f32[2x128x32]",
    ],
  );
  assert.equal(decode.outputs, [{ name: "logits", role: "logits", dtype: "f32", shape: [1, 256] }]);
  assert.equal(decode.state[0], { cache: "h0.k_cache", axis: 2, mode: "in-place" });
  assert.ok(Object.values(decode.cost).every((n) => n > 0));
  const qnn: unknown = JSON.parse(readFileSync(join(out, decode.graph), "utf8"));
  checkQnnGraph(qnn);
  for (const t of qnn.tensors) if (t.data) assert.ok(t.data.offset + t.data.bytes <= manifest.weights.bytes, t.name);
});

test("for Qualcomm's libraries the caller writes the caches", async () => {
  const out = join(tempFolder(), "kv");
  const { manifest } = await compileModule(await request("gpt2-fa2-kv", out, { target: "x-elite" }));
  const decode = manifest.entries.find((e) => e.name === "decode-64")!;
  assert.equal(decode.state[1], { cache: "h0.v_cache", axis: 1, mode: "host", slice: "h0.v_slice" });
  assert.equal(decode.outputs[2], { name: "h0.v_slice", role: "slice", dtype: "f32", shape: [2, 1, 32] });
});

test("two compiles give the same bytes", async () => {
  const folders = [join(tempFolder(), "a"), join(tempFolder(), "b")];
  for (const out of folders) await compileModule(await request("gpt2-fused", out));
  const [a, b] = folders.map((f) => filesOf(f).map((file) => readFileSync(join(f, file)).toString("latin1")));
  assert.equal(a, b);
});

test("weights that did not change are kept, others are written again", async () => {
  const out = join(tempFolder(), "p");
  const reads: string[] = [];
  const counted: WeightSource = {
    ...source,
    read: (name, shape) => {
      reads.push(name);
      return source.read(name, shape);
    },
  };
  const first = await compileModule(await request("gpt2-baseline", out, { weights: counted }));
  assert.not(first.weightsReused);
  const inode = statSync(join(out, "qnn/weights.bin")).ino;
  reads.length = 0;

  const second = await compileModule(await request("gpt2-baseline", out, { weights: counted }));
  assert.ok(second.weightsReused);
  assert.equal(reads, []);
  assert.is(statSync(join(out, "qnn/weights.bin")).ino, inode);
  assert.equal(second.manifest, first.manifest);

  const reseeded = await compileModule(await request("gpt2-baseline", out, { weights: seededWeights(1) }));
  assert.not(reseeded.weightsReused);
  assert.is.not(reseeded.manifest.weights.sha256, first.manifest.weights.sha256);
  const otherPasses = await compileModule(await request("gpt2-fused", out, { weights: seededWeights(1) }));
  assert.not(otherPasses.weightsReused);
  writeFileSync(join(out, "qnn/weights.bin"), "cut off");
  assert.not((await compileModule(await request("gpt2-fused", out, { weights: seededWeights(1) }))).weightsReused);
});

/** What a failing compile says, after checking that the old build is untouched and nothing else is left. */
async function failure(more: (old: CompileRequest) => Partial<CompileRequest>): Promise<string> {
  const out = join(tempFolder(), "p");
  const old = await request("gpt2-baseline", out);
  await compileModule(old);
  const before = filesOf(out).map((f) => [f, statSync(join(out, f)).mtimeMs]);
  let message = "nothing was thrown";
  try {
    await compileModule({ ...old, ...more(old) });
  } catch (e) {
    message = (e as Error).message;
  }
  assert.equal(
    filesOf(out).map((f) => [f, statSync(join(out, f)).mtimeMs]),
    before,
  );
  assert.equal(readdirSync(join(out, "..")), ["p"]);
  return message;
}

test("a weight that fails half way leaves the old build", async () => {
  const broken: WeightSource = {
    ...seededWeights(2),
    read: (name, shape) => {
      if (name === "h.1.mlp.c_fc.weight") throw new Error("element 3 is NaN");
      return source.read(name, shape);
    },
  };
  assert.match(await failure(() => ({ weights: broken })), "element 3 is NaN");
});

test("weights that do not fit are refused before anything is read", async () => {
  const unfit: WeightSource = {
    ...source,
    check: (wanted) => {
      assert.ok(wanted.some((w) => w.name === "h.0.attn.c_attn.weight" && w.shape.join("x") === "64x192"));
      throw new Error("wte.weight is missing");
    },
    read: () => assert.unreachable() as never,
  };
  assert.match(await failure(() => ({ weights: unfit })), "wte.weight is missing");
});

test("weights in blocks are for the reference target alone", () => {
  assert.throws(
    () => backendFor("x-elite", "native"),
    "target x-elite: cannot run native weights\n  try: --precision f32, f16, w8a16, w4a16",
  );
  assert.throws(
    () => backendFor("phoenix", "native"),
    "target phoenix: cannot run native weights\n  try: --precision f32, f16, w8a16, w4a16, w8a8, w4a8",
  );
});

test("activations of 8 bits are for the reference target and the array", () => {
  for (const target of ["reference", "phoenix", "strix"]) assert.ok(backendFor(target, "w4a8"));
  assert.throws(
    () => backendFor("x-elite", "w8a8"),
    "target x-elite: has no products with activations of 8 bits\n  try: --precision f32, f16, w8a16, w4a16",
  );
});

test("an op that the target cannot run leaves the old build", async () => {
  const x = input("tokens", "f32", 4);
  const message = await failure(({ module }) => ({
    module: { ...module, graph: graph("g", { inputs: [x], outputs: [erf(x)] }) },
  }));
  assert.match(message, "erf: the reference backend cannot run it");
});

test("two entry points of one name", async () =>
  assert.match(
    await failure(({ module }) => ({ module: { ...module, entries: [...module.entries, module.entries[0]!] } })),
    "entry point forward-64: two entry points have this name",
  ));

test("an input without a role", async () => {
  const x = input("mask", "f32", 4);
  const message = await failure(({ module }) => ({
    module: { ...module, graph: graph("g", { inputs: [x], outputs: [x] }) },
  }));
  assert.match(message, "input mask has no role that a session knows");
  assert.match(message, "inputs are tokens, hidden, position, last and caches");
});

test("a target without a code generator", async () =>
  assert.match(await failure(() => ({ target: "m4" })), "target m4: has no code generator"));

test("what goes wrong in extra files leaves the old build", async () =>
  assert.match(
    await failure(() => ({
      extra: (folder) => {
        mkdirSync(join(folder, "ir"));
        throw new Error("no space left");
      },
    })),
    "no space left",
  ));

test("a folder that is not a build is not replaced", async () => {
  const out = tempFolder();
  writeFileSync(join(out, "thesis.tex"), "years of work");
  const asked = await request("gpt2-baseline", out);
  await compileModule(asked).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, "is not empty and not a build folder, so it is not replaced"),
  );
  assert.ok(existsSync(join(out, "thesis.tex")));
});

test("a manifest.json of something else does not make a build folder", async () => {
  const out = tempFolder();
  writeFileSync(join(out, "manifest.json"), '{"manifest_version": 3, "name": "years of work"}');
  await compileModule(await request("gpt2-baseline", out)).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, "is not empty and not a build folder, so it is not replaced"),
  );
  assert.equal(readdirSync(out), ["manifest.json"]);
});

test("what a killed compile left is cleared, and the build that it had moved away comes back", async () => {
  const folder = tempFolder();
  const out = join(folder, "p");
  const asked = await request("gpt2-baseline", out);
  await compileModule(asked);
  const { pid } = spawnSync(process.execPath, ["--version"]);
  renameSync(out, `${out}.${pid}.old`);
  mkdirSync(`${out}.${pid}.tmp`);
  mkdirSync(`${out}.${process.pid}.tmp`);
  mkdirSync(`${out}.${process.ppid}.tmp`);
  assert.ok((await compileModule(asked)).weightsReused);
  assert.equal(
    readdirSync(folder).sort(),
    ["p", `p.${process.ppid}.tmp`],
    "another compile that still runs is left alone",
  );
});

test("a manifest with a field missing or unknown is refused", async () => {
  const out = join(tempFolder(), "p");
  const { manifest } = await compileModule(await request("gpt2-baseline", out));
  checkManifest(manifest);
  const { program: _, ...rest } = manifest;
  assert.throws(() => checkManifest(rest), "manifest.json: / must have required property 'program'");
  assert.throws(() => checkManifest({ ...manifest, colour: "red" }), "must NOT have additional properties: colour");
  assert.throws(() => checkManifest({ ...manifest, tokenizer: "../../etc/passwd" }), "/tokenizer");
  assert.throws(() => checkManifest({ ...manifest, entries: [] }), "/entries must NOT have fewer than 1 items");
});

test.run();
