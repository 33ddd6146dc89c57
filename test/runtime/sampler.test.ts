import { test } from "uvu";
import * as assert from "uvu/assert";
import { createSampler, type SamplerOptions } from "../../src/runtime/sampler.ts";

const logits = Float32Array.of(0, 2, 1, 3, 2.5);
const draws = (options: SamplerOptions, n = 400): number[] => {
  const sample = createSampler(options);
  return Array.from({ length: n }, () => sample(logits, []));
};
const kinds = (tokens: number[]): number[] => [...new Set(tokens)].sort();

test("greedy takes the first of the largest", () => {
  assert.is(createSampler()(logits, []), 3);
  assert.is(createSampler()(Float32Array.of(1, 4, 4), []), 1);
});

test("temperature samples from the softmax", () => {
  const tokens = draws({ temperature: 1, seed: 1 }, 20_000);
  const total = logits.reduce((n, x) => n + Math.exp(x), 0);
  for (let t = 0; t < logits.length; t++) {
    const share = tokens.filter((x) => x === t).length / tokens.length;
    assert.ok(Math.abs(share - Math.exp(logits[t]!) / total) < 0.01, `token ${t}: ${share}`);
  }
});

test("the same seed gives the same tokens, another seed others", () => {
  assert.equal(draws({ temperature: 1, seed: 5 }), draws({ temperature: 1, seed: 5 }));
  assert.not.equal(draws({ temperature: 1, seed: 5 }), draws({ temperature: 1, seed: 6 }));
});

test("top-k and top-p leave out the tail", () => {
  assert.equal(kinds(draws({ temperature: 2, topK: 2 })), [3, 4]);
  assert.equal(kinds(draws({ temperature: 2, topK: 99 })), [0, 1, 2, 3, 4]);
  // Softmax of the logits: 0.02, 0.17, 0.06, 0.46, 0.28.
  assert.equal(kinds(draws({ temperature: 1, topP: 0.4 })), [3]);
  assert.equal(kinds(draws({ temperature: 1, topP: 0.8 })), [1, 3, 4]);
  assert.equal(kinds(draws({ temperature: 1, topK: 2, topP: 0.6 })), [3]);
});

test("in a large vocabulary the same tokens are left as by sorting it", () => {
  const scores = Float32Array.from({ length: 4000 }, (_, i) => Math.fround(6 * Math.sin(i * i)));
  const sorted = [...scores].sort((a, b) => b - a);
  const lowest = (options: SamplerOptions) => {
    const sample = createSampler({ temperature: 1e6, seed: 2, ...options });
    return Math.min(...Array.from({ length: 400 }, () => scores[sample(scores, [])]!));
  };
  assert.is(lowest({ topK: 40 }), sorted[39]);
  assert.is(lowest({ topK: 40, topP: 0.5 }), sorted[19]);
  // At this temperature all tokens are as likely, so that a share of them is a share of probability.
  const least = lowest({ topP: 0.1 });
  assert.ok(least >= sorted[400]! && least < sorted[380]!, `${least}`);
});

test("a repetition penalty makes used tokens less likely", () => {
  assert.is(createSampler({ repetitionPenalty: 1.5 })(logits, [3, 3]), 4);
  assert.is(createSampler({ repetitionPenalty: 2 })(Float32Array.of(-1, -1.5), [0]), 1);
});

test("extremes: a temperature next to nothing, hidden tokens, an infinite logit, ties", () => {
  assert.equal(kinds(draws({ temperature: Number.MIN_VALUE })), [3]);
  assert.equal(kinds(draws({ temperature: 1e30, topK: 3 })), [1, 3, 4]);
  const sample = createSampler({ temperature: 1, topP: 0.9 });
  assert.is(sample(Float32Array.of(-Infinity, 0, -Infinity), []), 1);
  assert.is(sample(Float32Array.of(3, Infinity, 5), []), 1);
  const tied = createSampler({ temperature: 1, topK: 1 });
  // Equal tokens are equally entitled to the last place.
  assert.equal(kinds(Array.from({ length: 99 }, () => tied(Float32Array.of(1, 4, 4), []))), [1, 2]);
});

test("bad options and broken logits are refused", () => {
  assert.throws(() => createSampler({ temperature: -1 }), "temperature must be 0 or more, not -1");
  assert.throws(() => createSampler({ topK: 1.5 }), "top-k must be a whole number, 0 or more, not 1.5");
  assert.throws(() => createSampler({ topP: 0 }), "top-p must be above 0 and at most 1, not 0");
  assert.throws(
    () => createSampler({ repetitionPenalty: Infinity }),
    "repetition penalty must be a number above 0, not Infinity",
  );
  assert.throws(() => createSampler()(Float32Array.of(-Infinity), []), "the model returned -Infinity for every token");
  assert.throws(() => createSampler()(Float32Array.of(0, Number.NaN), []), "the model returned NaN for token 1");
});

test.run();
