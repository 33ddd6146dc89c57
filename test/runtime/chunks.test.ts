/**
 * Weights in blocks on the reference backend: what a prompt gives does not depend on how it is read. At once or in pieces, in chunks
 * that are full or padded, over the cache of another text that begins the same, in a bucket of any size: logits are, to the bit,
 * those of reading it token by token.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type BlockType, blockFormats } from "../../src/ir/index.ts";
import type { Session } from "../../src/runtime/session.ts";
import { ggmlTypes } from "../../src/weights/gguf/types.ts";
import { build, promptOf, withSession } from "../support/builds.ts";
import { gemmaFile } from "../support/gemma.ts";
import { gemmaGguf } from "../support/gemma-gguf.ts";
import { randomBlocks } from "../support/random-blocks.ts";

/** A layer whose cache is a ring, and one that sees all of the text. Rows are whole blocks of every format. */
const config = {
  model_type: "gemma3_text",
  ...{ num_hidden_layers: 2, sliding_window_pattern: 2, sliding_window: 24, vocab_size: 96 },
  ...{ hidden_size: 256, intermediate_size: 256, num_attention_heads: 4, num_key_value_heads: 1, head_dim: 64 },
  ...{ max_position_embeddings: 512, rms_norm_eps: 1e-6 },
};
const longest = 300;
const contexts = [64, 192, 384];

/** A small model with its matrices in blocks. */
async function small(type: BlockType): Promise<string> {
  const [number] = [...ggmlTypes].find(([, { dtype }]) => dtype === type)!;
  const weights = await gemmaGguf(config, ({ name, shape: [rows, columns] }) =>
    columns === undefined ? undefined : { type: number, data: randomBlocks(type, name, columns, 0, rows!) },
  );
  return build("gemma3-270m", { weights, precision: "native", contexts });
}

/** Logits after each token of a text that is read token by token. */
async function tokenByToken(session: Session, tokens: readonly number[]): Promise<Float32Array[]> {
  session.reset();
  const all = [await session.prefill(tokens.slice(0, 1))];
  for (const token of tokens.slice(1)) all.push(await session.decode(token));
  return all;
}

/** Fails unless reading the text up to each of the given lengths, one after the other, gives the expected logits. */
async function readsAlike(session: Session, text: readonly number[], lengths: number[], expected: Float32Array[]) {
  session.reset();
  for (const n of lengths) {
    const logits = await session.prefill(text.slice(0, n));
    const at = logits.findIndex((x, i) => x !== expected[n - 1]![i]);
    assert.is(at, -1, `read up to ${lengths.join(", ")}: after ${n} tokens logit ${at} is ${logits[at]}`);
  }
}

for (const type of Object.keys(blockFormats) as BlockType[])
  test(`${type}: logits do not depend on how a text is read`, async () =>
    withSession(await small(type), async (session) => {
      const text = promptOf(longest, config.vocab_size);
      const expected = await tokenByToken(session, text);
      assert.ok(new Set(expected.at(-1)).size > config.vocab_size / 2);
      for (const n of [1, 5, 63, 64, 65, 128, 129, longest]) await readsAlike(session, text, [n], expected);
      // Lengths that fall go back in the cache, where its ring still has the window, or read again.
      const length = fc.integer({ min: 1, max: longest });
      await fc.assert(
        fc.asyncProperty(fc.array(length, { minLength: 1, maxLength: 6 }), (lengths) =>
          readsAlike(session, text, lengths, expected),
        ),
        { numRuns: 12, seed: 7 },
      );
    }));

const file = gemmaFile();
(file ? test : test.skip)("Gemma 3 270M: logits do not depend on how a text is read", async () =>
  withSession(await build("gemma3-270m", { weights: file!, precision: "native" }), async (session) => {
    const golden = JSON.parse(readFileSync(new URL("../golden/llama/gemma-text.json", import.meta.url), "utf8"));
    const text = golden.perplexity.tokens.slice(0, 160);
    const expected = await tokenByToken(session, text);
    for (const lengths of [[160], [9, 50, 140], [128, 129, 160]]) await readsAlike(session, text, lengths, expected);
  }),
);

test.run();
