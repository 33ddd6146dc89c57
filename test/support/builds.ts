/** Builds for tests, each compiled once per test file, on the reference backend. */
import { join } from "node:path";
import { type CompileOptions, compileProgram } from "../../src/cli/support/compile-program.ts";
import { Session, type SessionOptions } from "../../src/runtime/session.ts";
import type { ProgramName as GPT2Program } from "./programs.ts";
import { tempFolder } from "./temp.ts";

type ProgramName = GPT2Program | "gemma3-270m" | "gemma3-1b" | "gemma3-27b";
const known = new Map<string, Promise<string>>();

/** The folder of a program's build; `tiny` with made-up weights unless told otherwise. */
export function build(name: ProgramName, options: CompileOptions = { config: "tiny" }): Promise<string> {
  const key = JSON.stringify([name, options]);
  const folder = known.get(key) ?? compile(name, options);
  known.set(key, folder);
  return folder;
}

async function compile(name: ProgramName, options: CompileOptions): Promise<string> {
  const out = join(tempFolder(), name);
  await compileProgram(`graphs/${name}.ts`, { ...options, out });
  return out;
}

/** Logits after a prompt and after each token of `sequence` behind it. */
export async function logitsAlong(
  session: Session,
  prompt: readonly number[],
  sequence: readonly number[],
): Promise<Float32Array[]> {
  const found = [await session.prefill(prompt)];
  for (const token of sequence.slice(prompt.length)) found.push(await session.decode(token));
  return found;
}

/** Opens a build, runs `use` and closes the session whatever happens. */
export async function withSession<T>(
  folder: string,
  use: (session: Session) => Promise<T>,
  options: SessionOptions = {},
): Promise<T> {
  const threads = options.backend === undefined ? { threads: 2 } : {};
  const session = await Session.load(folder, { ...threads, ...options });
  try {
    return await use(session);
  } finally {
    session.close();
  }
}

export const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.length === b.length ? a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0) : Number.NaN;

/** A prompt without a pattern. */
export const promptOf = (length: number, vocab = 256, from = 1): number[] =>
  Array.from({ length }, (_, i) => ((i + from) * 7919 + ((i * i) >> 3)) % vocab);
