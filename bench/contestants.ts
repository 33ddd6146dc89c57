/**
 * Two ways of running the same GGUF file, each to be measured in a process of its own: our session, and llama.cpp through
 * node-llama-cpp (`npm run setup:llama`). Both read the same prompt, then make tokens greedily.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { argmax } from "../src/runtime/sampler.ts";
import { Session } from "../src/runtime/session.ts";

export interface ContestantTask {
  readonly who: "heddle" | "llama.cpp";
  /** Of Heddle: the build folder. Of llama.cpp: the GGUF file. */
  readonly path: string;
  readonly threads: number;
  readonly prompt: readonly number[];
  /** Tokens that the context must hold. */
  readonly context: number;
}

export interface Contestant {
  /** Reads the prompt into an empty cache; ms. */
  prefill(): Promise<number>;
  /** Makes so many tokens after what is in the cache; ms of each. */
  decode(tokens: number): Promise<number[]>;
}

export async function heddle({ path, threads, prompt }: ContestantTask): Promise<Contestant> {
  const session = await Session.load(path, { threads });
  let logits = await session.prefill(prompt);
  return {
    prefill: async () => {
      session.reset();
      const start = performance.now();
      logits = await session.prefill(prompt);
      return performance.now() - start;
    },
    decode: async (tokens) => {
      const times: number[] = [];
      for (let i = 0; i < tokens; i++) {
        const start = performance.now();
        logits = await session.decode(argmax(logits));
        times.push(performance.now() - start);
      }
      return times;
    },
  };
}

/** What is used of node-llama-cpp, which is not a dependency. */
interface Llama {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
    }>;
  }>;
}
interface LlamaSequence {
  clearHistory(): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncIterable<number>;
}

const llamaFolder = (): string => resolve(process.env.HEDDLE_LLAMA ?? ".llama", "node_modules/node-llama-cpp");

/** Whether llama.cpp is here. */
export const hasLlama = (): boolean => existsSync(llamaFolder());

export async function llamaCpp({ path, threads, prompt, context }: ContestantTask): Promise<Contestant> {
  const { getLlama } = (await import(pathToFileURL(join(llamaFolder(), "dist/index.js")).href)) as Llama;
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    maxThreads: threads,
    logLevel: "error",
  });
  const model = await llama.loadModel({ modelPath: path });
  const held = await model.createContext({
    contextSize: context,
    batchSize: prompt.length,
    threads: { ideal: threads, min: threads },
  });
  const sequence = held.getSequence();
  let last = prompt.at(-1)!;
  return {
    prefill: async () => {
      await sequence.clearHistory();
      const start = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(prompt);
      last = prompt[0]!;
      return performance.now() - start;
    },
    decode: async (tokens) => {
      const times: number[] = [];
      let start = performance.now();
      for await (const token of sequence.evaluate([last], { temperature: 0, yieldEogToken: true })) {
        const now = performance.now();
        times.push(now - start);
        [start, last] = [now, token];
        if (times.length === tokens) break;
      }
      return times;
    },
  };
}
