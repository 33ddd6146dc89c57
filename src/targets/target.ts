/** Targets: machine descriptions as data, beside this file, each figure with its source; checked against machine.schema.json. */
import { readdirSync, readFileSync } from "node:fs";
import { HeddleError } from "../ir/error.ts";
import { schemaCheck } from "../ir/schema.ts";
import schema from "./machine.schema.json" with { type: "json" };

/** Where a number comes from. Ours are `measured` or `modelled`; those of a maker or a paper say so. */
export type Source = "measured" | "vendor-published" | "vendor-simulated" | "modelled";

export interface Figure {
  readonly value: number;
  readonly unit: string;
  readonly source: Source;
  /** Where it was read or how it was derived. */
  readonly note: string;
}

export interface Target {
  readonly name: string;
  readonly title: string;
  /** Which code generator serves it. */
  readonly backend: "qnn" | "mlir-aie";
  readonly architecture?: string;
  /** Bytes that one tile of work should fit: VTCM, a compute tile's memory, a core's own cache. */
  readonly fastMemory: Figure;
  /** Arithmetic peaks; a multiply-add counts as two. */
  readonly peaks: readonly { readonly dtype: string; readonly rate: Figure }[];
  /** Bytes per second from main memory that a cost model should assume. */
  readonly memoryRate: Figure;
  /** Further documented figures. */
  readonly facts?: Readonly<Record<string, Figure>>;
  /** Limits and rates of an AIE array; see aie-machine.ts, which reads it. */
  readonly aie?: object;
}

const folder = new URL("./", import.meta.url);

/** Names of all targets. */
export const targetNames = (): string[] =>
  readdirSync(folder)
    .filter((f) => f.endsWith(".json") && !f.includes(".schema."))
    .map((f) => f.slice(0, -".json".length))
    .sort();

const mistakesIn = schemaCheck(schema, { all: true });
const known = new Map<string, Target>();

/** Reads a machine description by name. @throws HeddleError for an unknown name, or a description that breaks the schema. */
export function loadTarget(name: string): Target {
  const cached = known.get(name);
  if (cached) return cached;
  if (!targetNames().includes(name))
    throw new HeddleError("there is no such target", {
      subject: `target ${name}`,
      hint: `one of ${targetNames().join(", ")}`,
    });
  const target = checkTarget(
    JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")),
    `src/targets/${name}.json`,
  );
  known.set(name, target);
  return target;
}

/** Checks a machine description. @throws HeddleError naming the field. */
export function checkTarget(json: unknown, file: string): Target {
  const mistakes = mistakesIn(json);
  if (mistakes.length === 0) return json as Target;
  const reasons = mistakes.map((m) => m.says);
  throw new HeddleError(`not a machine description: ${reasons.join("; ")}`, { subject: file });
}
