/** Programs in parts: the same logits and tokens as the program in one piece, to the last bit, however the parts are held. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CompileOptions, compileProgram } from "../../src/cli/support/compile-program.ts";
import { cut, partsWithin } from "../../src/codegen/cut.ts";
import { openProgram } from "../../src/runtime/program-folder.ts";
import type { Session, SessionOptions } from "../../src/runtime/session.ts";
import { compiled } from "../codegen/programs.ts";
import { build, largestDifference, promptOf, withSession } from "../support/builds.ts";
import { rejection } from "../support/rejection.ts";
import { tempFolder } from "../support/temp.ts";

/** Logits after prompts on both sides of edges of chunks, buckets and rings, and after going back in a text. */
async function logits(session: Session, longest: number): Promise<Float32Array[]> {
  const found: Float32Array[] = [];
  for (const n of [1, 7, 64, 65, 129, 200, 250, 90, 30])
    found.push(await session.prefill(promptOf(Math.min(n, longest))));
  for (const token of [3, 5, 250]) found.push(await session.decode(token));
  return found;
}

async function text(session: Session): Promise<number[]> {
  session.reset();
  const tokens: number[] = [];
  for await (const { token } of session.generate(promptOf(5), { maxTokens: 90, temperature: 1, stop: [] }))
    tokens.push(token);
  return tokens;
}

interface Compared extends SessionOptions {
  /** Of both builds. */
  readonly compile?: CompileOptions;
}

async function compare(
  name: Parameters<typeof build>[0],
  parts: number,
  longest: number,
  { compile = {}, ...options }: Compared = {},
) {
  const [whole, inParts] = [
    await build(name, { config: "tiny", ...compile }),
    await build(name, { config: "tiny", ...compile, parts }),
  ];
  assert.is(openProgram(inParts).parts.length, parts);
  await withSession(whole, (a) =>
    withSession(
      inParts,
      async (b) => {
        const [expected, found] = [await logits(a, longest), await logits(b, longest)];
        for (const [i, x] of expected.entries()) assert.is(largestDifference(x, found[i]!), 0, `step ${i}`);
        const [memory, memoryInParts] = [a.stats().cache, b.stats().cache];
        assert.equal([memoryInParts.bytes, memoryInParts.context], [memory.bytes, memory.context]);
        assert.equal(await text(b), await text(a));
      },
      options,
    ),
  );
}

for (const parts of [2, 3])
  test(`Gemma in ${parts} parts, with its caches and rings`, () => compare("gemma3-270m", parts, 250));
test("GPT-2 in 2 parts, with its caches", () => compare("gpt2-fa2-kv-fused", 2, 120));
test("GPT-2 in 2 parts, without", () => compare("gpt2-baseline", 2, 120));
test("parts that are loaded in turn", () => compare("gemma3-270m", 3, 250, { residency: "in-turn" }));

for (const precision of ["w8a16", "w4a16", "w8a8"] as const)
  test(`Gemma in 3 parts in ${precision}, calibrated once for all`, () =>
    compare("gemma3-270m", 3, 250, { compile: { precision } }));
test("Gemma in 2 parts with caches in integers and weights in blocks", () =>
  compare("gemma3-270m", 2, 250, { compile: { precision: "w4a16", quantize: { kv: "i8", blockSize: 32 } } }));

test("weights are written for the part that reads them, and not again where nothing changed", async () => {
  const out = join(tempFolder(), "again");
  const options = { config: "tiny", parts: 3, out };
  const first = await compileProgram("graphs/gemma3-270m.ts", options);
  const bytes = first.parts.map((p) => p.manifest.weights.bytes);
  const { manifest: whole } = await compileProgram("graphs/gemma3-270m.ts", { config: "tiny", out: `${out}-whole` });
  // The table of tokens is in the first part and, as the head, in the last.
  assert.ok(Math.max(...bytes) < whole.weights.bytes / 2, `${bytes} of ${whole.weights.bytes}`);
  assert.is((await compileProgram("graphs/gemma3-270m.ts", options)).weightsReused, true);
  assert.is((await compileProgram("graphs/gemma3-270m.ts", { ...options, seed: 1 })).weightsReused, false);
});

test("as many parts as a limit asks for, each within it; more than there are layers are refused", async () => {
  const { module } = await compiled("gemma3-270m");
  const whole = cut(module, 1)[0]!.bytes;
  const three = Math.max(...cut(module, 3).map((p) => p.bytes));
  assert.equal(
    [whole, three, whole - 1].map((limit) => partsWithin(module, limit)),
    [1, 3, 2],
  );
  assert.equal(
    cut(module, 2).map((p) => p.scopes),
    ["embedding-h1", "h2-head"],
  );
  assert.equal(
    cut(module, 5).map((p) => p.scopes),
    ["embedding", "h0", "h1", "h2", "head"],
  );
  assert.throws(
    () => partsWithin(module, 1000),
    /^the embedding: has \d+ bytes of weights; a part holds 1000\n {2}try: fewer bits/,
  );
  assert.throws(
    () => partsWithin(module, 100_000),
    /^layer h0: has \d+ bytes of weights; a part holds 100000\n {2}try: fewer bits/,
  );
  assert.throws(() => cut(module, 6), "cannot be cut into 6 parts\n  try: at most 5: layers, and what is before");
});

test("a part that is missing or of another program is refused", async () => {
  const out = join(tempFolder(), "broken");
  await compileProgram("graphs/gemma3-270m.ts", { config: "tiny", parts: 2, out });
  const manifest = join(out, "part-2", "manifest.json");
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace(/("role": "hidden",\s+"dtype": "f32",\s+"shape": \[\s+)64/, "$132"));
  assert.match(
    (await rejection(withSession(out, async () => {}))).message,
    /manifest.json, entry point prefill-64: part 2 goes on from f32\[32,64\], and the part before it leaves f32\[64,64\]/,
  );
  renameSync(join(out, "part-2"), join(out, "elsewhere"));
  assert.match((await rejection(withSession(out, async () => {}))).message, /part-2: there is no such folder/);
});

test.run();
