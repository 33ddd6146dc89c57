/** Products on the same cores: one choice of tiles for all, and the configuration of the array is the same whichever of them runs. */

import type { AieMachine } from "../../../targets/aie-machine.ts";
import { perMachine } from "../per-machine.ts";
import { type GemmFamily, isGrid, sharedChoices, tiles } from "./gemm.ts";
import { type GemmKind, type GemmShape, type GemmTiles, kindOf } from "./gemm-shape.ts";

/** A product of a program, and how often a run of the program has it. */
export interface Member {
  readonly shape: GemmShape;
  readonly runs: number;
}

/** Whether products have all in common but their sizes, and what becomes of their sums. */
export function familyOf(machine: AieMachine, s: GemmShape): string {
  const { type, out, rowBytes = 1, shift = 0, sums } = s;
  return [type, out, rowBytes, shift, sums, isGrid(machine, s)].join(" ");
}

/** A norm counts the elements of a row; other products of any K are of one kind. */
const keyOf = ({ bias, activation, norm, k }: GemmKind): string =>
  JSON.stringify([bias, activation, norm && [norm.centred, norm.eps, k]]);

/**
 * The tiles with which all runs together take the least time by the cost model. Memory tiles send nothing again, since how often would
 * be part of the configuration.
 * @returns one for each member, in order; undefined where no tiles suit all.
 */
export const planFamily = (machine: AieMachine, members: readonly Member[]): readonly GemmTiles[] | undefined =>
  plans(machine, JSON.stringify(members), () => search(machine, members));

/** Entry points for contexts of several lengths have the same families. */
const plans = perMachine<readonly GemmTiles[] | undefined>();

function search(machine: AieMachine, members: readonly Member[]): readonly GemmTiles[] | undefined {
  const shapes = members.map((m) => m.shape);
  const kinds = [...new Map(shapes.map(kindOf).map((kind) => [keyOf(kind), kind])).values()];
  const family: GemmFamily = { kinds, depth: shapes.map((s) => s.k).reduce(gcd) };
  const kind = shapes.map((s) => kinds.findIndex((k) => keyOf(k) === keyOf(kindOf(s))));
  // Those that take longest come first: a choice that is too slow is noticed early.
  const order = members.map((_, i) => i).sort((i, j) => work(members[j]!) - work(members[i]!));
  let best: { readonly seconds: number; readonly plans: readonly GemmTiles[] } | undefined;
  for (const { tile, place } of sharedChoices(machine, shapes)) {
    const plans: GemmTiles[] = [];
    let seconds = 0;
    const fits = order.every((i) => {
      const { shape, runs } = members[i]!;
      const limit = best && (best.seconds - seconds) / runs - machine.dispatchSeconds;
      const plan = tiles(machine, shape, tile, { ...place, limit, family, kind: kind[i]! });
      if (!plan) return false;
      plans[i] = plan;
      seconds += runs * plan.cost.seconds;
      return !best || seconds < best.seconds;
    });
    if (fits) best = { seconds, plans };
  }
  return best?.plans;
}

const work = ({ shape: { m, k, n }, runs }: Member): number => m * k * n * runs;
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
