/**
 * 2,000 tokens that Gemma 3 270M makes with its real weights, across the edges of its windows, rings and buckets, against the model
 * without a cache, which reads the finished text in one pass: causal attention makes of its rows what the cache made step by step.
 * From the blocks also against the text read in chunks into a cache that has room for all of it, which is the same to the bit.
 * A part by default; HEDDLE_ALL=1 makes all of them, in f32 and from the blocks, and prints what it finds.
 */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { lowerProgram } from "../../src/cli/support/lower-program.ts";
import { withGraph } from "../../src/cli/support/run-graph.ts";
import { bind, graph } from "../../src/ir/graph.ts";
import { input } from "../../src/ir/ops/index.ts";
import { pickRows, pickRowsEarly } from "../../src/passes/support/pick-rows.ts";
import { argmax } from "../../src/runtime/sampler.ts";
import type { Session } from "../../src/runtime/session.ts";
import { build, largestDifference, withSession } from "../support/builds.ts";
import { gemmaFile } from "../support/gemma.ts";

type Precision = "f32" | "native";
const all = process.env.HEDDLE_ALL === "1";
const file = gemmaFile();
const it = file ? test : test.skip;
const golden: { readonly perplexity: { readonly tokens: number[] } } = JSON.parse(
  readFileSync(new URL("../golden/llama/gemma-text.json", import.meta.url), "utf8"),
);
const whole = file && all ? test : test.skip;

/** Logits [vocab] after each of the given lengths of a text, from one pass over all of it without a cache. */
function uncached(
  tokens: readonly number[],
  lengths: readonly number[],
  precision: Precision,
): Promise<Float32Array[]> {
  const program = "test/fixtures/gemma3-uncached.ts";
  return lowerProgram(program, { weights: file!, precision }, async ({ module, weights }) => {
    const rows = input("rows", "i32", lengths.length);
    // The head is run on these rows alone: all of them would be 2 GB of logits.
    const picked = graph("uncached", {
      inputs: [...module.graph.inputs, rows],
      outputs: [pickRows(module.graph.outputs[0]!, rows, 0)],
    });
    const bound = bind(pickRowsEarly(picked).graph, { T: tokens.length });
    return withGraph(bound, weights, async (run) => {
      const [logits] = (await run({ tokens, rows: lengths.map((n) => n - 1) })) as [Float32Array];
      const vocab = logits.length / lengths.length;
      return lengths.map((_, i) => logits.slice(i * vocab, (i + 1) * vocab));
    });
  });
}

/** K and V of 18 layers in f32, one head of 256: three keep all of the context, fifteen a ring of 640 places. */
function cacheMemory(length: number): { context: number; bytes: number } {
  const context = [256, 512, 1024, 2048].find((c) => c >= length)!;
  return { context, bytes: 2 * 256 * 4 * (3 * context + 15 * Math.min(context, 640)) };
}

/** Continues a prompt by `count` tokens. Returns the text, and the logits after these lengths of it. */
async function continued(session: Session, prompt: readonly number[], count: number, lengths: readonly number[]) {
  const logits = new Map<number, Float32Array>();
  const decode = session.decode.bind(session);
  session.decode = async (token) => {
    const found = await decode(token);
    const { length } = session.tokens;
    if (!lengths.includes(length)) return found;
    logits.set(length, found);
    const { context, bytes } = session.stats().cache;
    assert.equal({ context, bytes }, cacheMemory(length), `${length} tokens`);
    return found;
  };
  const tokens = [...prompt];
  // Greedy text of a small model repeats itself soon. The last token is made and not run, so one more is made.
  const options = { maxTokens: count + 1, temperature: 1, seed: 5, stop: [] };
  for await (const { token } of session.generate(prompt, options)) tokens.push(token);
  return { tokens: tokens.slice(0, -1), logits };
}

/** Logits after the given lengths of a text that is read in chunks into a cache which has room for all of it from the start. */
async function readAtOnce(tokens: readonly number[], lengths: readonly number[]) {
  const context = 2048;
  const folder = await build("gemma3-270m", { weights: file!, precision: "native", contexts: [context] });
  return withSession(folder, async (session) => {
    const logits: Float32Array[] = [];
    for (const length of lengths) logits.push(await session.prefill(tokens.slice(0, length)));
    assert.is(session.stats().cache.context, context);
    assert.is(session.stats().cache.growths, 0);
    return logits;
  });
}

interface Found {
  readonly length: number;
  /** Of `native`: by how much logits differ of the text read in chunks into a cache that does not grow. */
  readonly grown: number | undefined;
  /** The largest difference of any of the 262,144 logits. */
  readonly error: number;
  /** By how much the uncached model prefers its best token to that of the cached one. */
  readonly preferred: number;
}

async function compare(precision: Precision, prompt: readonly number[], count: number, lengths: readonly number[]) {
  const { tokens, logits } = await withSession(await build("gemma3-270m", { weights: file!, precision }), (session) =>
    continued(session, prompt, count, lengths),
  );
  assert.is(tokens.length, prompt.length + count);
  assert.ok(new Set(tokens.slice(prompt.length)).size > count / 5, "the text repeats itself");
  const atOnce = precision === "native" ? await readAtOnce(tokens, lengths) : undefined;
  const expected = await uncached(tokens, lengths, precision);
  return lengths.map((length, i): Found => {
    const [cached, whole] = [logits.get(length)!, expected[i]!];
    const grown = atOnce && largestDifference(cached, atOnce[i]!);
    const error = largestDifference(cached, whole);
    const preferred = whole[argmax(whole)]! - whole[argmax(cached)]!;
    const parts = [`within ${error.toExponential(1)}`, `gap ${preferred.toFixed(3)}`];
    if (grown !== undefined) parts.push(`read at once ${grown}`);
    if (all) console.log(`${precision}, ${length} tokens: ${parts.join(", ")}`);
    return { length, grown, error, preferred };
  });
}

/** `<bos>The history of`, and a text that ends before the window does. */
const [short, long] = [[2, 818, 4083, 529], golden.perplexity.tokens.slice(0, 500)];
const edges = [256, 512, 640, 1024, 1152, 1280, 1920].flatMap((n) => [n - 1, n, n + 1]);
const lengths = [...edges, 768, 1600, 1792, short.length + 2000].sort((a, b) => a - b);

// Sums in another order: logits of 20 to 30 in f32 differ by some 1e-5.
const within = 2e-4;

it("f32: across the edge of the window and of a bucket", async () => {
  for (const { length, error } of await compare("f32", long, 30, [511, 512, 513, 514, 530]))
    assert.ok(error < within, `after ${length} tokens: ${error}`);
});

whole("f32: 2,000 generated tokens", async () => {
  for (const { length, error, preferred } of await compare("f32", short, 2000, lengths)) {
    assert.ok(error < within, `after ${length} tokens: ${error}`);
    assert.ok(preferred < within, `after ${length} tokens: another token`);
  }
});

// From the blocks there is one order of sums, so growth, rings and chunks change nothing. Attention without a cache has another one, and
// where activations are rounded to 8 bits that turns some over: what it does to logits is seen before the first edge, and must not grow
// behind it.
whole("native: 2,000 generated tokens", async () => {
  const before = [64, 128, 192, 240];
  const found = await compare("native", short, 2000, [...before, ...lengths]);
  const most = Math.max(...found.slice(0, before.length).map((f) => f.error));
  for (const { length, error, preferred, grown } of found) {
    assert.is(grown, 0, `after ${length} tokens: ${grown} from what is read at once`);
    assert.ok(error < 2 * most, `after ${length} tokens: ${error}, before the first edge ${most}`);
    assert.ok(preferred < most, `after ${length} tokens: another token, by ${preferred}`);
  }
});

test.run();
