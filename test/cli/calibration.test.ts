/** What calibration finds and decides, and what a calibration.json of an earlier build is good for. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../src/cli/support/calibration/histogram.ts";
import { divergence, lossOf } from "../../src/cli/support/calibration/losses.ts";
import { type LayerReport, spend } from "../../src/cli/support/calibration/sensitivity.ts";
import { calibrationTokens } from "../../src/cli/support/calibration/text.ts";
import { compileProgram } from "../../src/cli/support/compile-program.ts";
import { encodingFor } from "../../src/passes/support/encoding.ts";
import { parseTokenizer } from "../../src/runtime/tokenizer.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { noise } from "../ir/examples/example.ts";
import { compileQuantized as compile } from "../support/quantized.ts";
import { refused } from "../support/rejection.ts";
import { tempFolder } from "../support/temp.ts";

test("a calibration.json gives the same build again, weights included", async () => {
  const first = await compile({});
  const calibration = join(tempFolder(), "calibration.json");
  writeFileSync(calibration, readFileSync(join(first.out, "calibration.json")));
  const again = await compile({ out: first.out, quantize: { calibration } });
  assert.ok(again.weightsReused);
  assert.equal(
    again.entries.map((e) => e.artifacts),
    first.entries.map((e) => e.artifacts),
  );
  await refused(
    compileProgram("graphs/gpt2-fa2.ts", { config: "tiny", precision: "w8a16", quantize: { calibration } }),
    /was made for program gpt2-fa2-kv-fused, not gpt2-fa2/,
  );
});

test("how much channels matter is written down, decides scales of 4 bits, and is refused where it is none", async () => {
  const first = await compile({ precision: "w4a16" });
  const content = JSON.parse(readFileSync(join(first.out, "calibration.json"), "utf8"));
  // Two layers of four products that read values of their own, and the head.
  assert.is(Object.keys(content.importance).length, 9);
  for (const shares of Object.values<number[]>(content.importance)) {
    const mean = shares.reduce((sum, s) => sum + s, 0) / shares.length;
    assert.ok(Math.abs(mean - 1.01) < 0.01 && Math.min(...shares) >= 0.01, `${mean}`);
  }
  const calibration = join(tempFolder(), "calibration.json");
  const given = (importance: unknown) => {
    writeFileSync(calibration, JSON.stringify({ ...content, importance }));
    return compile({ precision: "w4a16", quantize: { calibration } });
  };
  const weightsOf = ({ out }: { readonly out: string }) =>
    readFileSync(join(out, "qnn/weights.bin")).toString("base64");
  assert.is(weightsOf(await given(content.importance)), weightsOf(first));
  assert.is.not(weightsOf(await given(undefined)), weightsOf(first), "an older file: all channels matter alike");
  await refused(given(null), /has no numbers of how much channels matter/);
  const [name] = Object.keys(content.importance);
  await refused(given({ ...content.importance, [name!]: [1, 0] }), /has no numbers of how much channels matter/);
  await refused(
    given({ ...content.importance, [name!]: [1, 1] }),
    new RegExp(
      `calibration saw 2 channels of %${name!.replaceAll(".", "\\.")}, which has 64\\n {2}try: calibrate again`,
    ),
  );
});

test("x-elite refuses a calibration without the ranges that it computes in, and says what to run", async () => {
  const first = await compile({});
  const content = JSON.parse(readFileSync(join(first.out, "calibration.json"), "utf8"));
  for (const name of ["h0.mixed.scores", "h1.mixed.scores", "wpe.weight"]) delete content.values[name];
  const old = join(tempFolder(), "calibration.json");
  writeFileSync(old, JSON.stringify(content));
  await refused(
    compile({ target: "x-elite", context: false, quantize: { calibration: old } }),
    /has no ranges of %h0\.mixed\.scores, %h1\.mixed\.scores, %wpe\.weight, which x-elite computes in fixed point[\s\S]*without --calibration, or with a text/,
  );
  await compile({ quantize: { calibration: old } });
  const calibration = join(first.out, "calibration.json");
  const { manifest } = await compile({ target: "x-elite", context: false, quantize: { calibration } });
  for (const { fixedPoint, outputs } of manifest.entries) {
    assert.ok(fixedPoint);
    const { encoding, ...logits } = outputs[0]!;
    assert.equal(logits, { name: "logits", role: "logits", dtype: "u16", shape: [1, 256] }, "integers");
    assert.ok(encoding!.scale > 0 && encoding!.offset < 0);
  }
});

const letters = [..."<>abcdefghijklmnopqrstuvwxyz"];
const [a, space, line] = [3, 29, 30];
/** Sequences of 8 tokens of a file; letters are tokens, and 0 stands in front of every text. */
function sequencesOf(content: string): readonly (readonly number[])[] {
  const vocabulary = {
    format: "heddle.vocabulary/1",
    pieces: ["<s>", ...letters, "\u2581", "\n"],
    scores: Array(31).fill(0),
    kinds: `c${"n".repeat(30)}`,
    unknown: 1,
    before: [0],
    after: [],
    prefix: false,
  };
  const file = join(tempFolder(), "text.txt");
  writeFileSync(file, content);
  const tokenizer = { name: "vocabulary.json" as const, content: () => JSON.stringify(vocabulary) };
  return calibrationTokens(file, { tokenizer, vocab: 31, rows: 8 }).sequences;
}

test("every sequence starts with what the model expects in front of a text, whose white space stays as it is", () => {
  assert.equal(sequencesOf("abcdefg\n hijklopq"), [
    [0, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6],
    [0, line, space, a + 7, a + 8, a + 9, a + 10, a + 11],
  ]);
});

test("each text of a file begins a sequence, and what is left of one where it is half of a sequence", () => {
  const [first, second] = ["abcdefghijk", "xyz\n"];
  assert.equal(sequencesOf(`${first}\n\f\n${second}`), [
    [0, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6],
    // Goes on into the next text.
    [0, a + 7, a + 8, a + 9, a + 10, line, a + 23, a + 24],
    // Behind the last text is the first one.
    [0, a + 23, a + 24, a + 25, line, a, a + 1, a + 2],
  ]);
});

test("a long file is read all over, the first text first", () => {
  const sequences = sequencesOf("abcdefg".repeat(4000));
  assert.is(sequences.length, 16_384 / 8);
  const one = [0, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6];
  assert.ok(sequences.every((s) => s.join() === one.join()));
  const halves = sequencesOf(`${"abcdefg".repeat(4000)}${"hijklmn".repeat(4000)}`);
  const ofFirst = halves.filter((s) => s[1] === a).length;
  assert.ok(Math.abs(ofFirst - sequences.length / 2) <= 1, `${ofFirst}`);
});

test("the texts that come with Heddle are of many kinds, and each begins a sequence", () => {
  const { tokenizer } = openCheckpoint("test/fixtures/gpt2-bible");
  const { text, sequences } = calibrationTokens(undefined, { tokenizer, vocab: 4096, rows: 64 });
  assert.is(text, "the texts that come with Heddle");
  const parsed = parseTokenizer(tokenizer!.content, tokenizer!.name);
  for (const beginning of [
    "Four score",
    "import csv",
    "| Day ",
    "<!DOCTYPE html>",
    '{\n  "version"',
    "Le march\u00e9",
  ]) {
    const tokens = parsed.encodePart(beginning).slice(0, 3);
    assert.ok(
      sequences.some((s) => tokens.every((t, i) => s[i] === t)),
      beginning,
    );
  }
});

test("a calibration.json with divisors of caches that are no numbers, or not positive, is refused", async () => {
  const first = await compile({});
  const content = JSON.parse(readFileSync(join(first.out, "calibration.json"), "utf8"));
  const [name] = Object.keys(content.caches);
  for (const bad of [{ keys: [0] }, { values: ["2"] }, { origins: ["1"] }, { reaches: {} }]) {
    const calibration = join(tempFolder(), "calibration.json");
    const caches = { ...content.caches, [name!]: { ...content.caches[name!], ...bad } };
    writeFileSync(calibration, JSON.stringify({ ...content, caches }));
    await refused(compile({ quantize: { calibration } }), /has no ranges of its caches/);
  }
});

test("a budget goes to the layers that do most harm for their bytes", () => {
  const layer = (name: string, harm: number): LayerReport => ({
    name,
    bits: 4,
    bytes: 100,
    sqnr: 20,
    divergence: harm,
  });
  const layers = [
    layer("a", 1),
    layer("b", 5),
    layer("c", 3),
    { name: "head", bits: 8 as const, bytes: 200, sqnr: 40, divergence: 9 },
  ];
  const bytes = (_: string, bits: unknown) => (bits === 8 ? 200 : 400);
  assert.equal(
    [...spend(layers, bytes, 250)],
    [
      ["b", 8],
      ["c", 8],
    ],
  );
  // The head would take 200 bytes for 9: less for each byte than b, more than a.
  assert.equal(
    [...spend(layers, bytes, 300)],
    [
      ["b", 8],
      ["head", "float"],
    ],
  );
  assert.is(spend(layers, bytes, 99).size, 0);
});

test("encodings hold their range, zero exactly, and 16 bits some more", () => {
  for (const range of [
    { min: -1, max: 3 },
    { min: 0.5, max: 2 },
    { min: -7, max: -6 },
    { min: 0, max: 0 },
    { min: -1e-30, max: 1e30 },
  ])
    for (const dtype of ["u16", "u8"] as const) {
      const { scale, offset } = encodingFor(range, dtype);
      const most = dtype === "u16" ? 65535 : 255;
      const slack = 1e-6 * Math.max(-range.min, range.max);
      assert.is(Math.fround(scale), scale);
      assert.ok(-offset >= 0 && -offset <= most && Number.isInteger(offset), `zero of ${dtype} is ${-offset}`);
      assert.ok((0 + offset) * scale <= range.min + scale / 2 + slack || range.min > 0);
      assert.ok((most + offset) * scale >= range.max - scale / 2 - slack);
      if (dtype === "u16" && range.max > 0) assert.ok((most + offset) * scale > 1.05 * range.max || range.max < 1e-20);
    }
});

test("a histogram finds outliers, and counts what is not finite", () => {
  const h = new Histogram();
  h.add(Float32Array.from(noise(50_000, 3)));
  h.add(Float32Array.of(100, Number.NaN, Number.POSITIVE_INFINITY));
  assert.is(h.notFinite, 2);
  assert.is(h.range.max, 100);
  const { min, max } = h.percentile(1e-3);
  assert.ok(min > -1.1 && min < -0.9 && max < 1.2 && max > 0.9, `${min} .. ${max}`);
  // With 256 steps it pays to cut the outlier off, with 65,536 it does not.
  assert.ok(h.leastError(256).max < 100);
  assert.ok(h.leastError(65_536).max > 30);
});

test("losses against plain arithmetic", () => {
  const logits = [1, 2, 3, 0, 0, 0];
  const p = [1, 2, 3].map((x) => Math.exp(x) / (Math.exp(1) + Math.exp(2) + Math.exp(3)));
  assert.ok(Math.abs(lossOf(logits, [0, 2]) + Math.log(p[2]!)) < 1e-12);
  const kl = p.reduce((sum, x) => sum + x * Math.log(x * 3), 0);
  assert.ok(Math.abs(divergence(logits, [0, 0, 0, 0, 0, 0], 2) - kl) < 1e-12);
});

test.run();
