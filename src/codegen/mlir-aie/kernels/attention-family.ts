/** Attention of layers that see more or less of the past, on the same cores: one choice of tiles for all. */
import type { AieMachine } from "../../../targets/aie-machine.ts";
import { type AttentionShape, type AttentionTiles, attentionChoices } from "./attention.ts";
import type { Band } from "./band.ts";

export interface AttentionMember {
  readonly shape: AttentionShape;
  /** In a run of the program. */
  readonly runs: number;
}

/** Whether attention over caches has all in common but their places and the window. Without a cache nothing comes with the run that could say. */
export const attentionFamilyOf = ({ heads, groups, queries, dim, scale, cached, ...rest }: AttentionShape): string =>
  JSON.stringify([heads, groups, queries, dim, scale, cached, ...(cached ? [] : [rest.keys, rest.window])]);

/**
 * The tiles with which all runs together take the least time by the cost model.
 * @returns one for each member, in order; undefined where no tiles suit all.
 */
export function planAttentions(
  machine: AieMachine,
  members: readonly AttentionMember[],
  band?: Band,
): readonly AttentionTiles[] | undefined {
  const choices = members.map(({ shape }) => [...attentionChoices(machine, shape, band)]);
  let best: { readonly seconds: number; readonly plans: readonly AttentionTiles[] } | undefined;
  for (const at of choices[0]!.keys()) {
    const plans = choices.flatMap((of) => of[at] ?? []);
    if (plans.length < members.length) continue;
    const seconds = plans.reduce((sum, { cost }, i) => sum + members[i]!.runs * cost.seconds, 0);
    if (!best || seconds < best.seconds * 0.999) best = { seconds, plans };
  }
  const kinds = best?.plans.flatMap((p) => p.kinds);
  return best?.plans.map((p, kind) => ({ ...p, kinds: kinds!, kind }));
}
