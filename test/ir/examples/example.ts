/** Examples of ops: a small graph, its inputs, and the result by an independent and simpler calculation. */
import assert from "node:assert";
import { type Data, evaluateNodes, type Node, type Precision } from "../../../src/ir/index.ts";

export interface Example {
  /** What is special about this one. */
  readonly case?: string;
  readonly build: () => Node;
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  readonly expected: readonly number[];
}

/** Numbers in [-1, 1) that look random: a linear congruential generator (Numerical Recipes), by seed. */
export function noise(count: number, seed = 1): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  });
}

export const range = (count: number, start = 0): number[] => Array.from({ length: count }, (_, i) => start + i);

/** The value of a node as plain numbers; inputs and params by name. */
export function compute(
  node: Node,
  inputs: Readonly<Record<string, readonly number[] | Data>> = {},
  precision: Precision = "f64",
): number[] {
  return [...evaluateNodes([node], { inputs, params: (name) => inputs[name]!, precision })[0]!.data];
}

/** Largest difference, relative where numbers are large. */
export function assertNear(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what = "value",
): void {
  assert.equal(actual.length, expected.length, `${what}: number of elements`);
  expected.forEach((e, i) => {
    const a = actual[i]!;
    const near = Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
    assert.ok(near, `${what}: element ${i} is ${a} but should be ${e}`);
  });
}
