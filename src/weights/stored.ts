/** Comparing what a model wants with what files hold: every misfit in one message. */
import { HeddleError } from "../ir/error.ts";
import { nearest } from "../ir/nearest.ts";
import { showSizes, type WeightSpec } from "./source.ts";

export interface StoredTensor {
  /** What the file calls it. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Why its values cannot be weights; undefined where they can. */
  readonly unreadable?: string | undefined;
}
/** By the name that models use. */
export type Stored<T extends StoredTensor = StoredTensor> = ReadonlyMap<string, T>;

/** How many misfits an error lists before it says "and n more". */
const listed = 8;

/** What is wrong with one wanted weight, in words; undefined where it fits. */
function misfit(stored: Stored, { name, shape }: WeightSpec): string | undefined {
  const t = stored.get(name);
  if (!t) {
    const near = nearest(name, stored.keys());
    return `${name} is missing${near === undefined ? "" : `; the nearest name there is ${near}`}`;
  }
  if (t.unreadable) return `${t.name} is ${t.unreadable}`;
  if (t.shape.length !== shape.length || t.shape.some((d, i) => d !== shape[i]))
    return `${t.name} is ${showSizes(t.shape)}; the model wants ${showSizes(shape)}`;
  return undefined;
}

/** The tensor of a wanted weight. @throws HeddleError where it is missing, of another shape or cannot be read. */
export function storedTensor<T extends StoredTensor>(file: string, stored: Stored<T>, wanted: WeightSpec): T {
  const problem = misfit(stored, wanted);
  if (problem) throw new HeddleError(problem, { subject: file });
  return stored.get(wanted.name)!;
}

/**
 * @param problems found before.
 * @param ignored names that belong to no weight, such as masks stored along.
 * @throws HeddleError that lists what is missing, does not fit or is not known.
 */
export function checkStored(
  file: string,
  stored: Stored,
  wanted: readonly WeightSpec[],
  { problems = [], ignored }: { readonly problems?: readonly string[]; ignored(name: string): boolean },
): void {
  const names = new Set(wanted.map((w) => w.name));
  const absent = [...names].filter((n) => !stored.has(n));
  const found = [...problems, ...wanted.flatMap((w) => misfit(stored, w) ?? [])];
  for (const name of stored.keys()) {
    if (names.has(name) || ignored(name)) continue;
    const near = nearest(name, absent);
    found.push(`${name} is not a weight of the model${near === undefined ? "" : `; did the file mean ${near}?`}`);
  }
  if (found.length === 0) return;
  const more = found.length > listed ? `\n  and ${found.length - listed} more` : "";
  throw new HeddleError(`does not fit the model:\n  ${found.slice(0, listed).join("\n  ")}${more}`, {
    subject: file,
    hint: "choose the matching configuration with --config, or give the folder with the checkpoint's config.json",
  });
}
