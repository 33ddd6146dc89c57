/**
 * Gemma 3 270M with its real weights against llama.cpp (scripts/golden_llama_text.mjs): greedy text, and how well both foresee a
 * text. For weights in blocks both round activations to 8 bits, and a difference in the last bit of one turns the rounding of
 * another over: so token by token they are compared on the same weights as f32, where llama.cpp does not round.
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
  readonly perplexity: { readonly tokens: number[]; readonly nats: readonly { count: number; nats: number }[] };
}
const golden: Golden = JSON.parse(readFileSync(new URL("../golden/llama/gemma-text.json", import.meta.url), "utf8"));

const all = process.env.HEDDLE_ALL === "1";
const say = (text: string) => (all ? console.log(text) : undefined);
/** Text, another script, and a prompt longer than the window. */
const some = new Set(["facts", "chinese", "across the window"]);
const chosen = (texts: readonly Text[]): Text[] => texts.filter((t) => all || some.has(t.name));
const scored = all ? 2000 : 512;

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

it("native: the same token wherever llama.cpp is sure of it by more than both round", () =>
  open("native", async (session) => {
    for (const text of chosen(golden.greedy)) {
      const steps = await follow(session, text);
      const sure = steps.filter((s) => s.gaps[0] > 0.5);
      say(
        `${text.name}: ${steps.filter((s) => s.same).length} of ${steps.length} alike, within ${largest(steps).toFixed(3)}`,
      );
      assert.ok(sure.length > 10, "most tokens are");
      assert.ok(
        sure.every((s) => s.same),
        text.name,
      );
    }
  }));

/** -log p of a token. */
function surprise(logits: Float32Array, token: number): number {
  const peak = logits[argmax(logits)]!;
  return peak + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - peak), 0)) - logits[token]!;
}

it("native: perplexity is within 0.5% of llama.cpp's", () =>
  open("native", async (session) => {
    const { tokens, nats } = golden.perplexity;
    let sum = 0;
    for (let i = 0; i < scored; i++)
      sum += surprise(await (i ? session.decode(tokens[i]!) : session.prefill([tokens[0]!])), tokens[i + 1]!);
    const [ours, theirs] = [sum, nats.find((n) => n.count === scored)!.nats].map((x) => Math.exp(x / scored));
    say(`perplexity of ${scored} tokens: ${ours!.toFixed(4)}, llama.cpp ${theirs!.toFixed(4)}`);
    assert.ok(Math.abs(ours! / theirs! - 1) < 5e-3, `${ours} against ${theirs}`);
  }));

test.run();
