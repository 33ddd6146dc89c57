/**
 * Gemma 3 270M with its real weights on Qualcomm's HTP simulator: one prefill and three steps against the reference backend, in f32 for f16, and
 * of the same integers for quantised weights; these also against the reference backend with every rounding that the NPU was asked for. Its residual stream is more than f16 holds and its channels differ by thousands, so this fails
 * where they are not divided. It takes many minutes and 8 GB: run with HEDDLE_ALL=1, and skipped without, or without library or weights.
 */
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { type LowerOptions, lowerProgram } from "../../src/cli/support/lower-program.ts";
import { qnnVendorFixed } from "../../src/codegen/qnn/index.ts";
import { bind } from "../../src/ir/graph.ts";
import { build } from "../support/builds.ts";
import { withDefinition } from "../support/fixed-definition.ts";
import { greedyReference, hasHtp, type SeenRun, sqnr, withHtp } from "../support/htp.ts";
import { tempFolder } from "../support/temp.ts";

const weights = ".gemma";
const isWanted = process.env.HEDDLE_ALL === "1";
const test = isWanted && hasHtp && existsSync(weights) ? always : always.skip;
const program = "gemma3-270m";
const steps = 3;
/** A prompt of token ids, the first one <bos>. */
const prompt = [
  2, 818, 5279, 529, 7001, 563, 9079, 236761, 1030, 563, 506, 5279, 529, 506, 3433, 532, 496, 1346, 3988, 529, 3625,
  532, 1610, 236761,
];

/** Prefill and steps on HTP, in dB of the logits. */
async function ratiosOf(
  onHtp: string,
  expected: readonly Float32Array[],
  sequence: readonly number[],
  see?: (run: SeenRun) => void,
): Promise<number[]> {
  const ratios: number[] = [];
  await withHtp(
    onHtp,
    async ({ entries, runner, counters }) => {
      const run = runner(entries);
      for (const [i, logits] of expected.entries()) {
        ratios.push(sqnr(await run.run(sequence.slice(0, prompt.length + i)), logits));
        console.log(`after ${prompt.length + i} tokens: ${ratios.at(-1)!.toFixed(1)} dB`);
      }
      assert.is(counters.computedTokens, prompt.length + steps, "the cache is used");
      run.reset();
    },
    see,
  );
  rmSync(onHtp, { recursive: true, force: true });
  return ratios;
}

/** The same runs on the reference backend with every rounding that the NPU was asked for, on the same caches, in dB. */
async function definedRatios(options: LowerOptions, seen: readonly SeenRun[]): Promise<number[]> {
  const ratios = new Map<SeenRun, number>();
  await lowerProgram(`graphs/${program}.ts`, options, async ({ module, quantization, weights: source }) => {
    const { encodings, units } = quantization!;
    const backend = qnnVendorFixed(encodings, { units, read: (name, shape) => source.read(name, shape) });
    for (const entry of module.entries) {
      const runs = seen.filter((r) => r.entry.name === entry.name);
      if (runs.length === 0) continue;
      const legal = backend.legalize(bind(module.graph, entry.bind, entry.name)).graph;
      await withDefinition(legal, source, async (logits) => {
        for (const run of runs) ratios.set(run, sqnr(run.logits, await logits(run.given)));
      });
    }
  });
  return seen.map((run) => ratios.get(run)!);
}

const copied = ({ given, logits, ...rest }: SeenRun): SeenRun => ({
  ...rest,
  given: Object.fromEntries(Object.entries(given).map(([name, values]) => [name, Array.from(values)])),
  logits: logits.slice(),
});

const enough = (ratios: readonly number[], least: number): void =>
  assert.ok(
    ratios.every((r) => r >= least),
    ratios.map((r) => r.toFixed(1)).join(", "),
  );

/**
 * Decibels of any run against the reference backend, and of a prefill against the definition, which is below the 30 aimed at, as is all of w4a16.
 * Its definition is not: one scale per channel makes HTP round products of 4 bits coarsely (test/codegen/qnn/htp-products.test.ts).
 * docs/htp-legalisation.md has the figures.
 */
const leastInFixedPoint = {
  w8a16: { expected: 30, defined: 28 },
  w4a16: { expected: 17, defined: 17 },
};

test("270M: the range of f16, a prefill and three steps", async () => {
  const onReference = await build(program, { weights, precision: "f32", contexts: [256] });
  const { expected, sequence } = await greedyReference(onReference, prompt, steps);

  const onHtp = await build(program, { weights, target: "x-elite", precision: "f16", contexts: [64], context: false });
  const { divisor, layers } = JSON.parse(readFileSync(join(onHtp, "half-range.json"), "utf8"));
  assert.ok(divisor >= 8, `the residual stream is divided by ${divisor}`);
  assert.ok(
    layers.every((l: { besides: number }) => l.besides < 65504),
    "nothing else overflows",
  );
  enough(await ratiosOf(onHtp, expected, sequence), 30);
});

for (const precision of ["w8a16", "w4a16"] as const)
  test(`270M in ${precision}: all of it in fixed point, a prefill and three steps`, async () => {
    const quantize = { kv: "k8v16" } as const;
    const least = leastInFixedPoint[precision];
    const onReference = await build(program, { weights, precision, quantize, contexts: [256] });
    const calibration = join(tempFolder(), "calibration.json");
    copyFileSync(join(onReference, "calibration.json"), calibration);
    const { expected, sequence } = await greedyReference(onReference, prompt, steps);

    const options = { weights, target: "x-elite", precision, contexts: [64], context: false } as const;
    const onHtp = await build(program, { ...options, quantize: { calibration } });
    const { entries } = JSON.parse(readFileSync(join(onHtp, "manifest.json"), "utf8"));
    for (const entry of entries) assert.is(entry.fixedPoint, true, entry.name);
    const seen: SeenRun[] = [];
    enough(await ratiosOf(onHtp, expected, sequence, (run) => seen.push(copied(run))), least.expected);
    const defined = await definedRatios({ ...options, quantize: { calibration } }, seen);
    console.log(`as defined: ${defined.map((r) => r.toFixed(1)).join(", ")} dB`);
    enough(defined.slice(0, 1), least.defined);
    enough(defined.slice(1), 33);
  });

always.run();
