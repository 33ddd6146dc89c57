/** One program at one length on the reference backend: time to first token, speed of generation, cost of one step. */

import { Session } from "../src/runtime/session.ts";
import { type Paired, pairWithReads, peakMemory } from "./paired.ts";
import { median } from "./record.ts";

export interface SessionTask {
  readonly kind: "session";
  readonly build: string;
  /** Length of the sequence at the end. */
  readonly tokens: number;
  readonly threads: number;
  /** Repeats of the single step; its median is reported. */
  readonly repeats: number;
  /** Bytes that a step with a cache must read; 0 without a cache. */
  readonly bytes: number;
}

export interface SessionFigures {
  /** From a prompt of `tokens` tokens to the logits that follow, in a session whose graphs are built, in ms. */
  readonly firstTokenMs: number;
  /** Making the whole sequence from one token on, greedily, in tokens per second. */
  readonly tokensPerSecond: number;
  /** The step that makes token number `tokens`; without a cache, the whole sequence again. */
  readonly step: Paired;
  readonly cacheBytes: number;
  readonly peakBytes: number;
}

/** Token ids that differ, so that no row of the embedding stays in a CPU cache by accident. */
export const promptIds = (n: number, vocab: number): number[] =>
  Array.from({ length: n }, (_, i) => (i * 7919 + 13) % vocab);

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export async function measureSession(task: SessionTask): Promise<SessionFigures> {
  const { build, tokens, threads, repeats, bytes } = task;
  const session = await Session.load(build, { threads });
  const { vocab } = session.build.manifest.model;
  const prompt = promptIds(tokens, vocab);
  try {
    await session.prefill(prompt);
    const first: number[] = [];
    for (let i = 0; i < Math.min(3, repeats); i++) {
      session.reset();
      first.push(await timed(() => session.prefill(prompt)));
    }
    session.reset();
    const whole = await timed(async () => {
      for await (const _ of session.generate(prompt.slice(0, 1), { maxTokens: tokens, stop: [] }));
    });
    const firstTokenMs = median(first);
    const figures = {
      firstTokenMs,
      tokensPerSecond: (tokens / whole) * 1000,
      cacheBytes: session.stats().cache.peakBytes,
      peakBytes: peakMemory(),
    };
    // Without a cache the step is the whole sequence again, which has just been measured.
    if (bytes === 0) return { ...figures, step: { ms: firstTokenMs } };
    // The step is repeated at the same length: the sequence goes back by one token, which the cache keeps.
    const step = await pairWithReads({ bytes, threads, repeats }, async (i) => {
      await session.prefill(prompt.slice(0, -1));
      return timed(() => session.decode((prompt.at(-1)! + i + 1) % vocab));
    });
    return { ...figures, step };
  } finally {
    session.close();
  }
}
