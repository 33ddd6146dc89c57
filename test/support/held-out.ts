/** The fixture's held-out text, and how well a session foretells it. */
import { readFileSync } from "node:fs";
import type { Session } from "../../src/runtime/session.ts";

export const fixture = "test/fixtures/gpt2-bible";
export const heldOutLines = readFileSync(`${fixture}/heldout.txt`, "utf8").trimEnd().split("\n");
/** `<|endoftext|>`, which begins every chapter. */
export const begin = 0;

/** -log p(token) after these logits, in nats. */
export function surprise(logits: Float32Array, token: number): number {
  const peak = logits.reduce((m, x) => Math.max(m, x), Number.NEGATIVE_INFINITY);
  return peak + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - peak), 0)) - logits[token]!;
}

/** Sum over the text of -log p(token | what stands before it in its line), in nats. */
export async function scoreHeldOut(session: Session): Promise<{ nats: number; tokens: number }> {
  let [nats, tokens] = [0, 0];
  for (const line of heldOutLines) {
    session.reset();
    let logits = await session.prefill([begin]);
    for (const token of session.tokenizer.encode(line)) {
      nats += surprise(logits, token);
      tokens++;
      logits = await session.decode(token);
    }
  }
  return { nats, tokens };
}

/** Signal to noise in dB: how much larger the values are than what `actual` differs from them by. */
export function sqnr(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (expected[i]! - actual[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
