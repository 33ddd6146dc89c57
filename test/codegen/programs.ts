/** Programs on the tiny configuration, for tests of code generation. */
import { loadProgram } from "../../src/frontend/index.ts";
import { type Data, elements, evaluate, type Graph, staticShape, type TensorType } from "../../src/ir/index.ts";
import type { EntryPoint, ModelInfo, Module } from "../../src/ir/program.ts";
import { type Pass, runPasses } from "../../src/passes/index.ts";
import { seededWeights } from "../../src/weights/seeded.ts";

export interface Compiled {
  readonly module: Module;
  readonly info: ModelInfo;
  readonly passes: readonly Pass[];
}

export async function compiled(program: string, config = "tiny"): Promise<Compiled> {
  const { passes, build } = await loadProgram(`graphs/${program}.ts`);
  const { module, info } = build(config);
  return { module: runPasses(module, passes).module, info, passes };
}

export const source = seededWeights();
export const params = (name: string, type: TensorType): Data => source.read(name, staticShape(type.shape));

/** Numbers that look random and are the same on every machine. */
export const noise = (count: number, seed = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

export type Inputs = Record<string, Int32Array | Float32Array>;

/** Inputs for `length` tokens after `position` cached ones; what is beyond them is padding, and caches hold noise. */
export function inputsFor(g: Graph, length: number, position = 0): Inputs {
  return Object.fromEntries(
    g.inputs.map((n, i) => {
      const count = elements(n.type.shape);
      if (n.type.dtype !== "i32") return [n.name!, noise(count, i)];
      const values = new Int32Array(count);
      if (n.name === "tokens") for (let t = 0; t < length; t++) values[t] = (t * 37 + 11) % 256;
      else values[0] = n.name === "position" ? position : length - 1;
      return [n.name!, values];
    }),
  );
}

/** Numbers of tokens to try an entry point with: around its own size and below the next smaller one. */
export const lengthsOf = ({ bind }: EntryPoint): number[] =>
  bind.T! > 64 ? [65, bind.T! - 1, bind.T!] : [...new Set([1, bind.T! - 1, bind.T!])].filter((n) => n > 0);

/** The first output by the reference interpreter. */
export const reference = (g: Graph, inputs: Inputs): Data => evaluate(g, { inputs, params }).outputs[0]!.data;

export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    // NaN is larger than any difference.
    most = Number.isNaN(d) ? Number.POSITIVE_INFINITY : Math.max(most, d);
  }
  return most;
}
