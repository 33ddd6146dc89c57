/**
 * Gemma 3 270M with its real weights against llama.cpp (scripts/golden_llama_text.mjs): greedy text, and how well both foresee a
 * text. For weights in blocks both round activations to 8 bits, so that sums in another order, right to the last bit but one, turn
 * a rounding over here and there, and with it others. So token by token they are compared on the same weights as f32, where
 * llama.cpp does not round; and that roundings are the same is seen after one token, where often none has been turned over.
 * A part of it by default; HEDDLE_ALL=1 runs every prompt and all of the text, and prints what it finds.
 */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { argmax } from "../../src/runtime/sampler.ts";
import type { Session } from "../../src/runtime/session.ts";
import { build, withSession } from "../support/builds.ts";
import { gemmaFile } from "../support/gemma.ts";

type Logit = readonly [token: number, logit: number];
/** A prompt and the tokens that followed, each with its logit and the second best. */
interface Text {
  readonly name: string;
  readonly prompt: readonly number[];
  readonly best: readonly (readonly [Logit, Logit])[];
}
interface Golden {
  readonly greedy: readonly Text[];
  readonly expanded: readonly Text[];
  readonly single: readonly { readonly token: number; readonly best: readonly Logit[] }[];
  readonly perplexity: { readonly tokens: number[]; readonly nats: readonly { count: number; nats: number }[] };
}
const golden: Golden = JSON.parse(readFileSync(new URL("../golden/llama/gemma-text.json", import.meta.url), "utf8"));

const all = process.env.HEDDLE_ALL === "1";
const say = (text: string) => (all ? console.log(text) : undefined);
/** Text, another script, and a prompt longer than the window. */
const some = new Set(["facts", "chinese", "across the window"]);
const chosen = (texts: readonly Text[]): Text[] => texts.filter((t) => all || some.has(t.name));
/** Of fewer tokens it is further off, 0.84% of 512, so that none are left out. */
const [scored, within] = [2000, 5e-3];

const file = gemmaFile();
const it = file ? test : test.skip;
const open = async <T>(precision: "f32" | "native", use: (session: Session) => Promise<T>): Promise<T> =>
  withSession(await build("gemma3-270m", { weights: file!, precision }), use);

interface Step {
  readonly same: boolean;
  /** By how much llama.cpp prefers its token to the second, and we ours to that of llama.cpp. */
  readonly gaps: readonly [theirs: number, ours: number];
  /** Of the logits of llama.cpp's two best. */
  readonly difference: number;
}

/** Our logits along llama.cpp's text. */
async function follow(session: Session, { prompt, best }: Text): Promise<Step[]> {
  session.reset();
  const steps: Step[] = [];
  for (const [i, [first, second]] of best.entries()) {
    const logits = await (i ? session.decode(best[i - 1]![0][0]) : session.prefill(prompt));
    const ours = argmax(logits);
    steps.push({
      same: ours === first[0],
      gaps: [first[1] - second[1], logits[ours]! - logits[first[0]]!],
      difference: Math.max(...[first, second].map(([token, logit]) => Math.abs(logits[token]! - logit))),
    });
  }
  return steps;
}

const largest = (steps: readonly Step[]): number => Math.max(...steps.map((s) => s.difference));

it("f32: greedy text is that of llama.cpp, token by token, up to a near tie", () =>
  open("f32", async (session) => {
    const texts = chosen(golden.expanded);
    assert.ok(texts.length >= (all ? 10 : some.size));
    for (const text of texts) {
      const steps = await follow(session, text);
      const first = steps.findIndex((s) => !s.same);
      const gaps = steps[first]?.gaps ?? [0, 0];
      const parts = first < 0 ? "all alike" : `the first to differ is ${first}, gaps ${gaps.map((g) => g.toFixed(4))}`;
      say(`${text.name}: ${steps.length} tokens, ${parts}, logits within ${largest(steps).toFixed(4)}`);
      assert.ok(first < 0 || Math.min(...gaps) < 1e-2, `${text.name}: ${parts}`);
      assert.ok(largest(steps) < 0.2, `${text.name}: logits within ${largest(steps)}`);
    }
  }));

// Without GELU in half precision, as llama.cpp has it, it is none of a hundred.
it("native: roundings are llama.cpp's: logits after one token are, unless one was turned over", () =>
  open("native", async (session) => {
    let alike = 0;
    for (const { token, best } of golden.single) {
      session.reset();
      const logits = await session.prefill([token]);
      if (best.every(([t, logit]) => Math.abs(logits[t]! - logit) < 1e-3)) alike++;
    }
    say(`single tokens: logits of ${alike} of ${golden.single.length} within 1e-3`);
    assert.ok(alike >= 0.3 * golden.single.length, `${alike} of ${golden.single.length}`);
  }));

// llama.cpp with caches in f16 differs from itself with caches in f32 where its two best tokens are 0.68 apart.
it("native: greedy text is llama.cpp's as far as that of llama.cpp is its own", () =>
  open("native", async (session) => {
    let [alike, steps] = [0, 0];
    for (const text of chosen(golden.greedy)) {
      const found = await follow(session, text);
      const same = found.filter((s) => s.same).length;
      say(`${text.name}: ${same} of ${found.length} alike, within ${largest(found).toFixed(3)}`);
      const unlike = found.find((s) => !s.same && s.gaps[0] > 0.7);
      assert.is(unlike, undefined, `${text.name}: differs where the two best are ${unlike?.gaps[0]} apart`);
      alike += same;
      steps += found.length;
    }
    say(`${alike} of ${steps} alike`);
    assert.ok(alike / steps > 0.95, `${alike} of ${steps}`);
  }));

/** -log p of a token. */
function surprise(logits: Float32Array, token: number): number {
  const peak = logits[argmax(logits)]!;
  return peak + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - peak), 0)) - logits[token]!;
}

it("native: perplexity is that of llama.cpp, of 2,000 tokens within 0.5%", () =>
  open("native", async (session) => {
    const { tokens, nats } = golden.perplexity;
    let sum = 0;
    for (let i = 0; i < scored; i++)
      sum += surprise(await (i ? session.decode(tokens[i]!) : session.prefill([tokens[0]!])), tokens[i + 1]!);
    const [ours, theirs] = [sum, nats.find((n) => n.count === scored)!.nats].map((x) => Math.exp(x / scored));
    say(`perplexity of ${scored} tokens: ${ours!.toFixed(4)}, llama.cpp ${theirs!.toFixed(4)}`);
    assert.ok(Math.abs(ours! / theirs! - 1) < within, `${ours} against ${theirs}`);
  }));

test.run();
