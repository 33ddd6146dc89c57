/** How the authors of a model sample from it, where they say so. */
import { HeddleError } from "../ir/error.ts";

type Json = Readonly<Record<string, unknown>>;

/** As the runtime's sampler takes it; what is absent is left to it. */
export interface Sampling {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly repetitionPenalty?: number;
}

/** The names of the settings where they are read. */
interface Names {
  readonly temperature: string;
  readonly topK: string;
  readonly topP: string;
  readonly repetitionPenalty: string;
}

const ranges: Readonly<Record<keyof Names, { readonly allows: (x: number) => boolean; readonly words: string }>> = {
  temperature: { allows: (x) => x >= 0, words: "a number, 0 or more" },
  topK: { allows: (x) => Number.isInteger(x) && x >= 0, words: "a whole number, 0 or more" },
  topP: { allows: (x) => x > 0 && x <= 1, words: "a number above 0 and at most 1" },
  repetitionPenalty: { allows: (x) => x > 0, words: "a number above 0" },
};

function read(get: (name: string) => unknown, names: Names, subject: string): Partial<Sampling> {
  const settings = (Object.keys(ranges) as (keyof Names)[]).flatMap((key) => {
    const value = get(names[key]);
    if (value === undefined || value === null) return [];
    const { allows, words } = ranges[key];
    if (typeof value !== "number" || !Number.isFinite(value) || !allows(value))
      throw new HeddleError(`${names[key]} is ${JSON.stringify(value)}; it must be ${words}`, { subject });
    return [[key, value] as const];
  });
  return Object.fromEntries(settings);
}

/**
 * Of a generation_config.json, which samples where `do_sample` says so (transformers, GenerationConfig).
 * @throws HeddleError for a setting that is not a number in its range
 */
export function samplingOf(config: Json | undefined, subject: string): Sampling | undefined {
  if (config?.do_sample !== true) return undefined;
  const names = {
    temperature: "temperature",
    topK: "top_k",
    topP: "top_p",
    repetitionPenalty: "repetition_penalty",
  };
  // What it leaves out is as transformers has it.
  return { temperature: 1, topK: 50, ...read((name) => config[name], names, subject) };
}

/** Of a GGUF file's `general.sampling` keys (llama.cpp, gguf-py/gguf/constants.py). @throws HeddleError as `samplingOf` */
export function ggufSampling(metadata: ReadonlyMap<string, unknown>, subject: string): Sampling | undefined {
  const names = {
    temperature: "general.sampling.temp",
    topK: "general.sampling.top_k",
    topP: "general.sampling.top_p",
    repetitionPenalty: "general.sampling.penalty_repeat",
  };
  const found = read((name) => metadata.get(name), names, subject);
  return Object.keys(found).length === 0 ? undefined : { temperature: 1, ...found };
}
