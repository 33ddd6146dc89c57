/** Quantising from the command line's point of view: what is calibrated, decided, reported, written and refused. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../src/cli/support/calibration/histogram.ts";
import { divergence, lossOf } from "../../src/cli/support/calibration/losses.ts";
import { type LayerReport, spend } from "../../src/cli/support/calibration/sensitivity.ts";
import { type CompileOptions, compileProgram } from "../../src/cli/support/compile-program.ts";
import { quantizationText } from "../../src/cli/support/quantization-text.ts";
import { quantizeRequest } from "../../src/cli/support/quantize-request.ts";
import type { Manifest } from "../../src/codegen/manifest.ts";
import type { Precision } from "../../src/codegen/precision.ts";
import type { QnnGraph } from "../../src/codegen/qnn/index.ts";
import { encodingFor } from "../../src/passes/support/encoding.ts";
import { noise } from "../ir/examples/example.ts";
import { fixture } from "../support/held-out.ts";
import { tempFolder } from "../support/temp.ts";

const program = "graphs/gpt2-fa2-kv-fused.ts";
const compile = (options: CompileOptions) =>
  compileProgram(program, { config: "tiny", precision: "w8a16", out: join(tempFolder(), "build"), ...options });

async function refused(what: Promise<unknown> | (() => unknown), says: RegExp): Promise<void> {
  try {
    await (typeof what === "function" ? what() : what);
  } catch (e) {
    assert.match((e as Error).message, says);
    return;
  }
  assert.unreachable("nothing was refused");
}

test("the report lists layers worst first, and what was found is written down", async () => {
  const { out, quantization, manifest } = await compile({});
  assert.is(manifest.precision, "w8a16");
  const lines = quantizationText(quantization!).split("\n");
  assert.is(lines[0], "quantised, calibrated on random tokens (2048 tokens):");
  assert.match(lines[1]!, /layer, worst first +weights +bytes +SQNR/);
  const shown = lines.slice(2).flatMap((l) => / ([\d.]+) dB$/.exec(l)?.[1] ?? []);
  assert.equal(
    shown,
    [...shown].sort((a, b) => Number(a) - Number(b)),
  );
  assert.ok(Number(shown[0]) > 35, "eight bits are good for some 40 dB");
  assert.match(lines.at(-2)!, /^weights of products [\d.]+ kB; logits [\d.]+ dB; perplexity .* \(measured\)$/);
  const report = JSON.parse(readFileSync(join(out, "quantization.json"), "utf8"));
  // Two layers of four linears each, and the head.
  assert.is(report.layers.length, 9);
  assert.ok(
    report.layers.every(
      (l: LayerReport) => l.bits === 8 && l.sqnr! > 35 && l.loc!.startsWith("graphs/models/gpt2.ts:"),
    ),
  );
});

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

test("passes that quantise are proved like all others", async () => {
  const { passes, manifest } = await compile({ precision: "w4a16", check: true, quantize: { kv: "i8" } });
  for (const name of ["quantize", "quantize-caches"]) {
    const { error } = passes.find((p) => p.name === name)!.proof!;
    assert.ok(error.f64 < 1e-9, `${name}: ${error.f64}`);
  }
  const cache = manifest.entries[0]!.inputs.find((i) => i.role === "cache")!;
  assert.is(cache.dtype, "i8");
});

test("activations of 8 bits: products yield floats, the pass is proved, the report says what it costs", async () => {
  const { passes, quantization, out } = await compile({ precision: "w8a8", check: true });
  const { error } = passes.find((p) => p.name === "quantize")!.proof!;
  assert.ok(error.f64 < 1e-9, `${error.f64}`);
  assert.ok(quantization!.quality.layers.every((l) => l.bits === 8 && l.sqnr! > 28 && l.sqnr! < 50));
  const dump = readdirSync(join(out, "ir")).find((name) => name.endsWith("-quantize.ir"))!;
  const text = readFileSync(join(out, "ir", dump), "utf8");
  assert.match(text, /quantize\(.*\) \{dtype="i8"/);
  assert.match(text, /quantizedLinear\(.*\) \{dtype="f32", scale=1, offset=0\}/);
  await refused(
    compile({ precision: "w8a8", target: "phoenix", quantize: { kv: "i8" } }),
    /target phoenix: keeps keys and values in floats: its kernels for attention read no others\n {2}try: leave --kv out/,
  );
  await refused(compile({ precision: "w8a8", target: "x-elite" }), /has no products with activations of 8 bits/);
});

test("gated blocks, grouped heads and rings quantise too", async () => {
  const { quantization, manifest } = await compileProgram("graphs/gemma3-270m.ts", {
    config: "tiny",
    precision: "w8a16",
    quantize: { kv: "i8" },
    out: join(tempFolder(), "gemma"),
  });
  const { layers, logitsSqnr } = quantization!.quality;
  assert.ok(layers.length > 8 && layers.every((l) => l.bits === 8 && l.sqnr! > 35));
  assert.ok(logitsSqnr > 25, `${logitsSqnr} dB`);
  const caches = manifest.entries.flatMap((e) => e.inputs.filter((i) => i.role === "cache"));
  assert.ok(caches.length > 0 && caches.every((c) => c.dtype === "i8"));
});

test("on the NPU all of Gemma is in fixed point, its residual stream balanced where channels stand out", async () => {
  const out = join(tempFolder(), "gemma");
  const compiled = (quantize: CompileOptions["quantize"] = {}, precision: Precision = "w8a16") =>
    compileProgram("graphs/gemma3-270m.ts", {
      config: "tiny",
      precision,
      target: "x-elite",
      contexts: [256],
      context: false,
      out,
      quantize,
    });
  const read = (file: string) => JSON.parse(readFileSync(join(out, file), "utf8"));
  const check = (manifest: Pick<Manifest, "entries">) => {
    for (const entry of manifest.entries) {
      assert.is(entry.fixedPoint, true, entry.name);
      const { nodes, tensors } = read(entry.graph!) as QnnGraph;
      const type = new Map(tensors.map((t) => [t.name, t.dataType]));
      const halves = nodes.filter((n) => type.get(n.outputs[0]!) === "FLOAT_16").map((n) => n.name);
      // The embedding and the masks.
      assert.ok(
        halves.every((name) => /^x|\.mixed\./.test(name)),
        halves.join(", "),
      );
    }
  };
  await compiled({}, "w4a16");
  const { tensors } = read("qnn/decode-256.qnn.json") as QnnGraph;
  const four = tensors.filter((t) => t.quantize?.encoding === "BW_AXIS_SCALE_OFFSET").map((t) => t.name);
  assert.is(four.length, 4 * 3, "four products in each of three layers, and not the head");

  const plain = await compiled();
  assert.not.ok(
    plain.passes.some((p) => p.name === "balance-residual"),
    "made-up weights have no such channels",
  );
  check(plain.manifest);

  const calibration = read("calibration.json");
  const file = join(tempFolder(), "calibration.json");
  const given = (residual: unknown) => {
    writeFileSync(file, JSON.stringify({ ...calibration, residual }));
    return compiled({ calibration: file });
  };
  const { divisors } = calibration.residual;
  assert.ok(divisors.every((d: number) => d === 1));
  const balanced = await given({ ...calibration.residual, divisors: [8, ...divisors.slice(1)] });
  assert.ok(balanced.passes.some((p) => p.name === "balance-residual"));
  check(balanced.manifest);
  for (const residual of [
    null,
    {},
    { ...calibration.residual, divisors: [3] },
    { ...calibration.residual, norms: { x: {} } },
  ])
    await refused(given(residual), /has no ranges of its residual stream/);
});

test("a head in f16 stays out of the table; one of 4 bits is smaller", async () => {
  const bits = async (head: "f16" | "w4") => {
    const { quantization } = await compile({ quantize: { head } });
    return quantization!.quality.layers.find((l) => l.name === "logits")!;
  };
  const [half, four] = [await bits("f16"), await bits("w4")];
  assert.is(half.bits, "float");
  assert.is(half.sqnr, undefined);
  assert.is(four.bits, 4);
  assert.ok(four.bytes < half.bytes / 3);
});

test("weights of 4 bits in blocks: proved, reported, written down, and closer than one scale per channel", async () => {
  const inBlocks = await compile({ precision: "w4a16", check: true, quantize: { head: "w4", blockSize: 32 } });
  const { error } = inBlocks.passes.find((p) => p.name === "quantize")!.proof!;
  assert.ok(error.f64 < 1e-9, `${error.f64}`);
  assert.is(inBlocks.manifest.blockSize, 32);
  const { layers } = inBlocks.quantization!.quality;
  assert.ok(layers.every((l) => l.bits === 4 && l.blockSize === 32));
  assert.match(quantizationText(inBlocks.quantization!), / i4\/32 /);
  const qnn = JSON.parse(readFileSync(join(inBlocks.out, inBlocks.manifest.entries[0]!.graph), "utf8"));
  const encodings = qnn.tensors.filter((t: { quantize?: { blocks?: number } }) => t.quantize?.blocks);
  assert.is(encodings.length, layers.length);
  for (const { dims, quantize } of encodings) {
    assert.is(quantize.encoding, "BLOCKWISE_EXPANSION");
    assert.equal([quantize.bitwidth, quantize.axis, quantize.blocks], [4, 0, dims[1] / 32]);
    assert.is(quantize.blockScales.bytes, dims[0] * quantize.blocks);
  }
  const { quantization } = await compile({ precision: "w4a16", quantize: { head: "w4" } });
  const perRow = quantization!.quality.layers;
  const mean = (all: readonly LayerReport[]) => all.reduce((sum, l) => sum + l.sqnr!, 0) / all.length;
  assert.ok(mean(layers) > mean(perRow) + 0.2, `${mean(layers)} dB in blocks, ${mean(perRow)} dB without`);
  for (const [i, l] of perRow.entries())
    assert.ok(
      layers[i]!.bytes > l.bytes && layers[i]!.bytes < 1.04 * l.bytes,
      "half a byte for each block of 16 bytes",
    );
});

test("blocks are refused where they mean nothing or do not fit", async () => {
  await refused(
    () => quantizeRequest({ precision: "f16", blockSize: 32 }),
    /^--block-size: has no meaning for f16, which quantises nothing\n {2}try: --precision w8a16, w4a16/,
  );
  await refused(
    () => quantizeRequest({ precision: "w8a16", blockSize: 32 }),
    /^--block-size: is of weights of 4 bits, and w8a16 has none\n {2}try: --precision w4a16, or --head w4/,
  );
  assert.equal(quantizeRequest({ precision: "w8a16", head: "w4", blockSize: 64 }), { head: "w4", blockSize: 64 });
  await refused(
    compile({ precision: "w4a16", quantize: { blockSize: 128 } }),
    /graphs\/models\/gpt2\.ts:\d+:\d+: linear %h0\.qkv: has 64 inputs, which do not divide into blocks of 128\n {2}try: --block-size 32 or 64, or no --block-size/,
  );
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

test("what is wrong with a request is said before anything runs", async () => {
  await refused(
    () => quantizeRequest({ head: "w8", precision: "f16" }),
    /--head: has no meaning for f16, which quantises nothing\n {2}try: --precision w8a16, w4a16, w8a8 or w4a8/,
  );
  const text = (content: string) => {
    const file = join(tempFolder(), "text.txt");
    writeFileSync(file, content);
    return { config: "checkpoint", weights: fixture, quantize: { calibration: file } };
  };
  const { config: _, ...short } = text("In the beginning");
  await refused(
    compileProgram(program, { ...short, precision: "w8a16" }),
    /has 3 tokens; calibration needs at least 256/,
  );
  await refused(
    compile({ quantize: { calibration: "nowhere.txt" } }),
    /--calibration nowhere.txt: there is no such file/,
  );
  await refused(
    compile({ quantize: { calibration: "nowhere.json" } }),
    /--calibration nowhere.json: there is no such file/,
  );
  await refused(compile({ quantize: { calibration: "package.json" } }), /package.json: is not a calibration/);
  const damaged = join(tempFolder(), "damaged.json");
  writeFileSync(
    damaged,
    JSON.stringify({
      format: "heddle.calibration/1",
      program: "gpt2-fa2-kv-fused",
      values: { x: { minmax: { min: 0 } } },
    }),
  );
  await refused(compile({ quantize: { calibration: damaged } }), /has no minmax range of %x/);
  writeFileSync(damaged, JSON.stringify({ format: "heddle.calibration/1", program: "gpt2-fa2-kv-fused", values: {} }));
  await refused(compile({ quantize: { calibration: damaged } }), /calibration did not see %/);
});

test("values beyond f16 are named with their line", async () => {
  const { quantization } = await compile({});
  assert.equal(quantization!.overflows, []);
  const overflows = [{ value: "add %h1.x (graphs/models/gpt2.ts:83)", reaches: 70_123 }];
  assert.match(
    quantizationText({ ...quantization!, overflows }),
    /warning: add %h1.x \(graphs\/models\/gpt2.ts:83\) reaches 7.01e\+4, more than the 65504 that f16 holds/,
  );
});

test.run();
