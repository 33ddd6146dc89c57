/**
 * Gemma on Qualcomm's HTP simulator: grouped heads, rotated queries and keys, and rings that the session writes round and round,
 * against the reference backend. Skipped where the library is not installed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import type { CacheRanges } from "../../../src/cli/support/calibration/caches.ts";
import type { Precision } from "../../../src/codegen/precision.ts";
import { build, promptOf, withSession } from "../../support/builds.ts";
import { argmax, hasHtp, sqnr, withHtp } from "../../support/htp.ts";
import { tempFolder } from "../../support/temp.ts";

const test = hasHtp ? always : always.skip;
const program = "gemma3-270m";
const steps = 3;
/** The rings of the tiny configuration have 192 places: the second chunk of this prompt comes round, and so do the steps. */
const prompt = promptOf(200);

/** HEDDLE_ALL_ENTRIES=1 takes all precisions and says how many decibels. */
const all = process.env.HEDDLE_ALL_ENTRIES === "1";

/** Divides channels of the residual stream, of keys and of values, as calibration does where they stand out; those of made-up weights do not. */
async function withDivisors(): Promise<string> {
  const options = { config: "tiny", target: "x-elite", precision: "w8a16", contexts: [256], context: false } as const;
  const file = join(await build(program, options), "calibration.json");
  const calibration = JSON.parse(readFileSync(file, "utf8"));
  const divisors = calibration.residual.divisors.map((_: number, c: number) => (c % 8 ? 1 : 2 ** ((c / 8) % 4)));
  const caches = Object.fromEntries(
    Object.entries(calibration.caches as Readonly<Record<string, CacheRanges>>).map(([name, { keys, reaches }]) => {
      // Channels that are alike lose by it: so few are divided, and by little.
      const some = keys.map((_, c) => (c % 8 ? 1 : 2));
      return [name, { keys: some, values: some, reaches: { ...reaches, queries: 2 * reaches.queries } }];
    }),
  );
  const edited = join(tempFolder(), "calibration.json");
  writeFileSync(edited, JSON.stringify({ ...calibration, caches, residual: { ...calibration.residual, divisors } }));
  return edited;
}

type Case = readonly [precision: Precision, expected: Precision, balanced?: boolean];
const cases: readonly Case[] = [
  ["f16", "f32"],
  ["w8a16", "w8a16"],
  ["w8a16", "w8a16", true],
  ...(all ? ([["w4a16", "w4a16"]] as const satisfies Case[]) : []),
];
for (const [precision, expected, balanced] of cases)
  test(`${precision}${balanced ? ", balanced" : ""}: prefill and ${steps} steps`, async () => {
    const logits: Float32Array[] = [];
    const sequence = [...prompt];
    const inBlocks = expected === "w4a16" && ({ quantize: { blockSize: 32 } } as const);
    await withSession(await build(program, { config: "tiny", precision: expected, ...inBlocks }), async (session) => {
      logits.push(await session.prefill(prompt));
      for (let i = 0; i < steps; i++) {
        sequence.push(argmax(logits.at(-1)!));
        logits.push(await session.decode(sequence.at(-1)!));
      }
    });
    const onHtp = await build(program, {
      config: "tiny",
      target: "x-elite",
      precision,
      contexts: [256],
      context: false,
      // Values of 16 bits are kept undivided.
      ...(balanced && { quantize: { kv: "i8", calibration: await withDivisors() } }),
    });
    await withHtp(onHtp, async ({ entries, runner, counters }) => {
      const run = runner(entries);
      for (const [i, wanted] of logits.entries()) {
        const ratio = sqnr(await run.run(sequence.slice(0, prompt.length + i)), wanted);
        if (all) console.log(`${precision}, step ${i}: ${ratio.toFixed(1)} dB`);
        assert.ok(ratio >= 30, `after ${prompt.length + i} tokens: ${ratio.toFixed(1)} dB`);
      }
      assert.is(counters.computedTokens, prompt.length + steps, "the cache is used");
      run.reset();
    });
  });

always.run();
