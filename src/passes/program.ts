/** `program`: what a graph file exports by default. A model, and the passes that make this variant of it, in order. */
import type { Model } from "../ir/program.ts";
import type { Pass } from "./pass.ts";

export interface Program<C = unknown> {
  readonly kind: "heddle.program";
  readonly model: Model<C>;
  readonly passes: readonly Pass[];
}

/** `export default program({ model: gpt2, passes: [mergeQkv, foldNorm] })`; an empty list is the model untouched. */
export const program = <C>(parts: { model: Model<C>; passes: readonly Pass[] }): Program<C> =>
  Object.freeze({ kind: "heddle.program", ...parts });

export const isProgram = (x: unknown): x is Program =>
  typeof x === "object" && x !== null && (x as { kind?: unknown }).kind === "heddle.program";
