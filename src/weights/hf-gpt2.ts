/** Hugging Face's GPT-2 checkpoints: names with or without `transformer.`, attention masks stored as tensors, a tied head. */
import { HeddleError } from "../ir/error.ts";
import { nearest } from "../ir/nearest.ts";
import { isWeightDtype, openSafeTensors, type SafeTensors } from "./safetensors.ts";
import type { TensorEntry } from "./safetensors-header.ts";
import { showSizes, type WeightSource, type WeightSpec } from "./source.ts";

const prefix = "transformer.";
/** Constants that older versions of transformers saved along: the causal mask and the value of what it hides. */
const isMask = (name: string): boolean => /\.attn\.(masked_)?bias$/.test(name);
const head = "lm_head.weight";
const table = "wte.weight";

/** How many misfits an error lists before it says "and n more". */
const listed = 8;

/** @param name what the manifest calls the source. @throws HeddleError where the file is not sound. */
export function openHfGpt2(path: string, name: string, fingerprint: string): WeightSource {
  const file = openSafeTensors(path);
  const stored = new Map<string, TensorEntry>();
  const repeated: string[] = [];
  for (const t of file.tensors.values()) {
    if (stored.has(plain(t.name))) repeated.push(plain(t.name));
    stored.set(plain(t.name), t);
  }
  return {
    name,
    fingerprint,
    check: (wanted) => check(file, stored, wanted, repeated),
    read: (weight, shape) => {
      checkOne(file, stored, { name: weight, shape });
      return file.read(stored.get(weight)!.name);
    },
    close: file.close,
  };
}

const plain = (name: string): string => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
type Stored = ReadonlyMap<string, TensorEntry>;

/** What is wrong with one wanted weight, in words; undefined where it fits. */
function misfit(stored: Stored, { name, shape }: WeightSpec): string | undefined {
  const t = stored.get(name);
  if (!t) {
    const near = nearest(name, stored.keys());
    return `${name} is missing${near === undefined ? "" : `; the nearest name there is ${near}`}`;
  }
  if (!isWeightDtype(t.dtype)) return `${t.name} is ${t.dtype}; weights must be F32, F16 or BF16`;
  if (t.shape.length !== shape.length || t.shape.some((d, i) => d !== shape[i]))
    return `${t.name} is ${showSizes(t.shape)}; the model wants ${showSizes(shape)}`;
  return undefined;
}

function checkOne(file: SafeTensors, stored: Stored, wanted: WeightSpec): void {
  const problem = misfit(stored, wanted);
  if (problem) throw new HeddleError(problem, { subject: file.file });
}

function check(file: SafeTensors, stored: Stored, wanted: readonly WeightSpec[], repeated: readonly string[]): void {
  const names = new Set(wanted.map((w) => w.name));
  const problems = repeated.map((name) => `${name} is there with the prefix ${prefix} and without`);
  problems.push(...wanted.flatMap((w) => misfit(stored, w) ?? []));
  for (const name of stored.keys()) {
    if (names.has(name) || isMask(name) || (name === head && stored.has(table))) continue;
    const near = nearest(
      name,
      [...names].filter((n) => !stored.has(n)),
    );
    problems.push(`${name} is not a weight of the model${near === undefined ? "" : `; did the file mean ${near}?`}`);
  }
  if (problems.length > 0) {
    const more = problems.length > listed ? `\n  and ${problems.length - listed} more` : "";
    throw new HeddleError(`does not fit the model:\n  ${problems.slice(0, listed).join("\n  ")}${more}`, {
      subject: file.file,
      hint: "choose the matching configuration with --config, or give the folder with the checkpoint's config.json",
    });
  }
  checkTied(file, stored);
}

/** GPT-2's head shares the embedding table; a file may repeat it, but not bring another. */
function checkTied(file: SafeTensors, stored: Stored): void {
  const [a, b] = [stored.get(head), stored.get(table)];
  if (!a || !b) return;
  const [x, y] = [file.read(a.name), file.read(b.name)];
  const differs = x.length !== y.length ? 0 : x.findIndex((v, i) => v !== y[i]);
  if (differs >= 0)
    throw new HeddleError(`${a.name} differs from ${b.name}: GPT-2's head is tied to its embedding`, {
      subject: file.file,
      hint: "use a checkpoint with tie_word_embeddings = true",
    });
}
