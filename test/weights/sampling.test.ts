/** How a checkpoint says that it is sampled from. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ggufSampling, samplingOf } from "../../src/weights/sampling.ts";

test("generation_config.json: Gemma's own, what transformers adds, and none where it does not sample", () => {
  // google/gemma-3-1b-it
  const gemma = { bos_token_id: 2, do_sample: true, eos_token_id: [1, 106], pad_token_id: 0, top_k: 64, top_p: 0.95 };
  assert.equal(samplingOf(gemma, "g"), { temperature: 1, topK: 64, topP: 0.95 });
  assert.equal(samplingOf({ do_sample: true, temperature: 0.6, repetition_penalty: 1.1 }, "g"), {
    temperature: 0.6,
    topK: 50,
    repetitionPenalty: 1.1,
  });
  for (const none of [undefined, {}, { temperature: 0.6 }, { do_sample: false, top_k: 64 }])
    assert.is(samplingOf(none, "g"), undefined);
});

test("GGUF's general.sampling", () => {
  const metadata = new Map<string, unknown>([
    ["general.sampling.top_k", 64],
    ["general.sampling.top_p", 0.95],
  ]);
  assert.equal(ggufSampling(metadata, "m.gguf"), { temperature: 1, topK: 64, topP: 0.95 });
  assert.is(ggufSampling(new Map(), "m.gguf"), undefined);
});

test("settings outside their range are refused", () => {
  const refused: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ temperature: -1 }, "temperature is -1; it must be a number, 0 or more"],
    [{ temperature: "hot" }, 'temperature is "hot"; it must be a number, 0 or more'],
    [{ top_k: 1.5 }, "top_k is 1.5; it must be a whole number, 0 or more"],
    [{ top_p: 0 }, "top_p is 0; it must be a number above 0 and at most 1"],
    [{ repetition_penalty: 0 }, "repetition_penalty is 0; it must be a number above 0"],
  ];
  for (const [setting, words] of refused)
    assert.throws(
      () => samplingOf({ do_sample: true, ...setting }, "generation_config.json"),
      `generation_config.json: ${words}`,
    );
  const broken = new Map([["general.sampling.temp", Number.NaN]]);
  assert.throws(
    () => ggufSampling(broken, "m.gguf"),
    "m.gguf: general.sampling.temp is null; it must be a number, 0 or more",
  );
});

test.run();
