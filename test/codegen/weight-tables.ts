/** Tables of weights for tests, sources that say what was read, and what is said where a file cannot be written. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { WeightTable } from "../../src/codegen/weights.ts";
import { writeWeights } from "../../src/codegen/weights-file.ts";
import { type Node, param } from "../../src/ir/index.ts";
import type { WeightSource } from "../../src/weights/source.ts";
import { tempFolder } from "../support/temp.ts";
import { noise } from "./programs.ts";

export const weight = (name: string, ...shape: number[]): Node => param({ name, dtype: "f32", shape });

/** A source that counts its reads. */
export function counting(values: (name: string, count: number) => Float32Array = (_, n) => noise(n)) {
  const reads: string[] = [];
  const source: WeightSource = {
    name: "test",
    fingerprint: "test",
    check: () => {},
    read: (name, shape) => {
      reads.push(name);
      return values(
        name,
        shape.reduce((n, d) => n * d, 1),
      );
    },
    close: () => {},
  };
  return { source, reads };
}

export const table = (...nodes: Node[]): WeightTable => {
  const t = new WeightTable();
  for (const n of nodes) t.add(n);
  return t;
};

/** The message of the error; nothing is left behind. */
export async function failure(t: WeightTable, source: WeightSource): Promise<string> {
  const folder = tempFolder();
  try {
    await writeWeights(t, source, join(folder, "weights.bin"));
  } catch (e) {
    assert.equal(readdirSync(folder), [], "nothing is left behind");
    return (e as Error).message;
  }
  assert.unreachable();
  return "";
}
