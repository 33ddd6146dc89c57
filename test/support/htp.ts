/** Builds on Qualcomm's HTP simulator, each entry point compiled from its JSON when it is first used: no binary is written. */
import { existsSync, rmSync } from "node:fs";
import { finalizeLevel } from "../../src/htp/index.ts";
import { allocate, type Context, mapFile, release } from "../../src/runtime/addon.ts";
import { BoundGraph } from "../../src/runtime/bound-graph.ts";
import { openBuild, readJson } from "../../src/runtime/build-folder.ts";
import { CachedRunner } from "../../src/runtime/cached-runner.ts";
import { type Entry, type EntryGraph, logitsOf } from "../../src/runtime/entry-graph.ts";
import { libraryCandidates, openBackend } from "../../src/runtime/libraries.ts";
import { Counters } from "../../src/runtime/statistics.ts";
import { withSession } from "./builds.ts";

export const hasHtp = libraryCandidates("htp").some((file) => existsSync(file));

export interface HtpRun {
  /** A session's runner over these entry points alone. */
  runner(entries: readonly Entry[]): CachedRunner;
  readonly entries: readonly Entry[];
  readonly counters: Counters;
}

/** What bytes of caches hold: values in 16 bits are two each. */
const asIntegers = ({ inputs }: Entry, caches: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(
    Object.entries(caches).map(([name, bytes]) => {
      const { dtype } = inputs.find((i) => i.name === name)!;
      const words = () => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      return [name, dtype === "u16" ? words() : bytes];
    }),
  );

/** One run of an entry point: what it was given, inputs and caches by name, and the logits that it yielded. */
export interface SeenRun {
  readonly entry: Entry;
  readonly given: Readonly<Record<string, ArrayLike<number>>>;
  readonly logits: Float32Array;
}

/**
 * Opens a build of x-elite, runs `use` and takes everything down again.
 * @param see told of every run; it copies what it wants to keep
 */
export async function withHtp<T>(
  folder: string,
  use: (run: HtpRun) => Promise<T>,
  see?: (run: SeenRun) => void,
): Promise<T> {
  const build = openBuild(folder);
  const { entries, model, weights } = build.manifest;
  const file = mapFile(build.path(weights.file));
  const backend = openBackend("htp");
  const contexts: Context[] = [];
  const bounds: BoundGraph[] = [];
  const ready = new Map<Entry, EntryGraph>();
  const get = async (entry: Entry): Promise<EntryGraph> => {
    const known = ready.get(entry);
    if (known) return known;
    const context = backend.createContext();
    contexts.push(context);
    const level = finalizeLevel(entry, build.manifest);
    const graph = context.addGraph(readJson(build.path(entry.graph)), file.buffer, { optimization: level, vtcm: 8 });
    await context.finalize();
    const bound = new BoundGraph(entry, graph);
    bounds.push(bound);
    const made: EntryGraph = {
      entry,
      inputs: bound.inputs,
      outputs: bound.outputs,
      run: async (caches) => {
        bound.bindCaches(caches);
        await graph.execute();
        see?.({ entry, given: { ...bound.inputs, ...asIntegers(entry, caches) }, logits: logitsOf(made) });
      },
    };
    ready.set(entry, made);
    return made;
  };
  const counters = new Counters();
  const forgetCaches = () => {
    for (const bound of bounds) bound.bindCaches({});
  };
  try {
    return await use({
      entries,
      counters,
      runner: (some) => new CachedRunner(some, { get, forgetCaches }, counters, model.positions, { allocate, release }),
    });
  } finally {
    for (const bound of bounds) bound.close();
    for (const context of contexts) context.close();
    backend.close();
    file.close();
  }
}

/** What a build says greedily: the logits after a prompt and after each of `steps` more tokens, and the prompt with those tokens. */
export interface Greedy {
  readonly expected: readonly Float32Array[];
  readonly sequence: readonly number[];
}

/** The same of several prompts on the reference backend. The build is removed: a large one takes the space that the next one needs. */
export async function greedyReferences(
  folder: string,
  prompts: readonly (readonly number[])[],
  steps: number,
): Promise<Greedy[]> {
  const found: Greedy[] = [];
  await withSession(folder, async (session) => {
    for (const prompt of prompts) {
      session.reset();
      const expected = [await session.prefill(prompt)];
      const sequence = [...prompt];
      for (let i = 0; i < steps; i++) {
        sequence.push(argmax(expected.at(-1)!));
        expected.push(await session.decode(sequence.at(-1)!));
      }
      found.push({ expected, sequence });
    }
  });
  rmSync(folder, { recursive: true, force: true });
  return found;
}

/** The same of one prompt. */
export const greedyReference = async (folder: string, prompt: readonly number[], steps: number): Promise<Greedy> =>
  (await greedyReferences(folder, [prompt], steps))[0]!;

/** Signal to quantisation noise in decibels: how far `actual` is from `expected`. */
export function sqnr(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i]! ** 2;
    noise += (actual[i]! - expected[i]!) ** 2;
  }
  return actual.length === expected.length ? 10 * Math.log10(signal / noise) : Number.NaN;
}

export const argmax = (logits: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
};
