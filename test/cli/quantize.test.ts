/** Quantising from the command line's point of view: what is calibrated, decided, reported, written and refused. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { LayerReport } from "../../src/cli/support/calibration/sensitivity.ts";
import { type CompileOptions, compileProgram } from "../../src/cli/support/compile-program.ts";
import { quantizationText } from "../../src/cli/support/quantization-text.ts";
import { quantizeRequest } from "../../src/cli/support/quantize-request.ts";
import type { Manifest } from "../../src/codegen/manifest.ts";
import type { Precision, QuantizedPrecision } from "../../src/codegen/precision.ts";
import type { QnnGraph } from "../../src/codegen/qnn/index.ts";
import { fixture } from "../support/held-out.ts";
import { compileQuantized as compile, quantizedProgram as program } from "../support/quantized.ts";
import { refused } from "../support/rejection.ts";
import { tempFolder } from "../support/temp.ts";

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

/** What the caches of an entry point are kept in, each type once. */
function typesOfCaches({ inputs }: Manifest["entries"][number]) {
  const of = (part: string) => [
    ...new Set(inputs.filter((i) => i.role === "cache" && i.name.endsWith(`${part}_cache`)).map((i) => i.dtype)),
  ];
  return { keys: of("k"), values: of("v") };
}

for (const [kv, keys, values] of [
  ["i8", "i8", "i8"],
  ["k8v16", "i8", "u16"],
] as const)
  test(`passes that quantise are proved like all others, caches in ${kv}`, async () => {
    const { passes, manifest } = await compile({ precision: "w4a16", check: true, quantize: { kv } });
    for (const name of ["quantize", "quantize-caches"]) {
      const { error } = passes.find((p) => p.name === name)!.proof!;
      assert.ok(error.f64 < 1e-9, `${name}: ${error.f64}`);
    }
    for (const entry of manifest.entries) assert.equal(typesOfCaches(entry), { keys: [keys], values: [values] });
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
    quantize: { kv: "k8v16" },
    out: join(tempFolder(), "gemma"),
  });
  const { layers, logitsSqnr } = quantization!.quality;
  assert.ok(layers.length > 8 && layers.every((l) => l.bits === 8 && l.sqnr! > 35));
  assert.ok(logitsSqnr > 25, `${logitsSqnr} dB`);
  for (const entry of manifest.entries) assert.equal(typesOfCaches(entry), { keys: ["i8"], values: ["u16"] });
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
  for (const [blockSize, encoding] of [
    [undefined, "BLOCKWISE_EXPANSION"],
    ["none", "BW_AXIS_SCALE_OFFSET"],
  ] as const) {
    await compiled(blockSize && { blockSize }, "w4a16");
    const { tensors } = read("qnn/decode-256.qnn.json") as QnnGraph;
    const four = tensors.filter((t) => t.quantize?.encoding === encoding);
    assert.is(four.length, 4 * 3, "four products in each of three layers, and not the head");
  }

  const plain = await compiled();
  // Heads share keys and values: these are kept in 16 bits.
  for (const entry of plain.manifest.entries) assert.equal(typesOfCaches(entry), { keys: ["u8"], values: ["u16"] });
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
    /graphs\/models\/gpt2\.ts:\d+:\d+: linear %h0\.qkv: has 64 inputs, which do not divide into blocks of 128\n {2}try: --block-size 32 or 64, or --block-size none/,
  );
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

test("a model that suffers is warned of, with its worst layers and what was not tried yet", async () => {
  const { quantization } = await compile({ precision: "w4a16" });
  assert.not.match(quantizationText(quantization!), /warning/, "made-up weights foretell nothing, so nothing is lost");
  const said = (change: object, quantized: number, precision: QuantizedPrecision = "w4a16") => {
    const layers = quantization!.quality.layers.map((l) => ({ ...l, ...change }));
    const quality = { ...quantization!.quality, layers, perplexity: { float: 20, quantized } };
    return quantizationText({ ...quantization!, precision, quality })
      .split("\n")
      .slice(-3, -1)
      .join("\n");
  };
  const worst = [...quantization!.quality.layers].sort((a, b) => a.sqnr! - b.sqnr!);
  const names = worst.slice(0, 3).map(({ name, loc }) => `%${name} (${loc})`);
  assert.is(
    said({}, 300),
    `warning: perplexity is 15 times that of floats: expect worse text, or none that makes sense. Worst are ${names.join(", ")}\n` +
      "  try: --block-size 32, or --budget 20, or --precision w8a16",
  );
  assert.match(said({ blockSize: 32 }, 28), /rises by 40%: .*\n {2}try: --budget 20, or --precision w8a16$/);
  assert.match(said({ blockSize: 32, divergence: 0.1 }, 28), /\n {2}try: --precision w8a16$/);
  assert.match(said({ bits: 8 }, 28, "w8a8"), /\n {2}try: --budget 20, or --precision w8a16$/);
  assert.match(said({ bits: 8 }, 28, "w8a16"), /\n {2}try: --budget 20, or --precision f16$/);
  assert.not.match(said({}, 24.9), /warning/);
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
