/** What is known of operands in fixed point before anything runs: the ranges of constants, weights and tables. */
import { evaluateNodes } from "../../ir/evaluate/evaluate.ts";
import type { Node } from "../../ir/node.ts";
import * as ops from "../../ir/ops/index.ts";
import { elements, staticShape } from "../../ir/type.ts";
import type { WeightSource } from "../../weights/source.ts";

/** The values of a weight by name and shape. */
export type ReadWeight = WeightSource["read"];

export interface KnownRange {
  readonly min: number;
  readonly max: number;
}

/** Numbers that are worth computing for their range: vectors and small tables, no matrices. */
const most = 1 << 16;

/** Ranges of values that are known at compile time; undefined of what is large, or of weights that nobody can read. */
export class KnownRanges {
  readonly #read: ReadWeight | undefined;
  readonly #found = new Map<Node, KnownRange | undefined>();

  constructor(read?: ReadWeight) {
    this.#read = read;
  }

  of(n: Node): KnownRange | undefined {
    if (!this.#found.has(n)) this.#found.set(n, isAngles(n) ? { min: -1, max: 1 } : this.#compute(n));
    return this.#found.get(n);
  }

  #compute(n: Node): KnownRange | undefined {
    if (elements(n.type.shape) > most) return undefined;
    const read = this.#read;
    if (!read && hasWeights(n)) return undefined;
    const [value] = evaluateNodes([n], { params: (name, { shape }) => read!(name, staticShape(shape)) });
    let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const x of value!.data) [min, max] = [Math.min(min, x), Math.max(max, x)];
    return { min, max };
  }
}

const hasWeights = (n: Node): boolean => n.op === ops.param || n.inputs.some(hasWeights);

/** A table of sines or cosines, or rows of one. */
const isAngles = (n: Node): boolean =>
  n.op === ops.sin ||
  n.op === ops.cos ||
  ((n.op === ops.cast || n.op === ops.slice || n.op === ops.gather || n.op === ops.reshape) && isAngles(n.inputs[0]!));
