/** Whether f16 holds what a model computes, layer by layer, from what its values were on a text. */
import { type Graph, topo } from "../../ir/graph.ts";
import { nodeNames } from "../../ir/print.ts";
import type { Pass } from "../../passes/pass.ts";
import { divisorFor, largestHalf, residualStream, scaleResidual } from "../../passes/scale-residual.ts";
import type { Calibration } from "./calibration/calibration.ts";
import { table } from "./format.ts";

export interface LayerReach {
  /** `h3`, or `model` for what belongs to no layer. */
  readonly layer: string;
  /** The value that reaches furthest, as it would be without scaling. */
  readonly value: string;
  readonly reaches: number;
  /** The same of values that are not of the residual stream. */
  readonly besides: number;
  readonly fits: boolean;
}

export interface HalfRange {
  readonly text: string;
  readonly tokens: number;
  readonly layers: readonly LayerReach[];
  /** By which the residual stream is divided; 1 where f16 holds it. */
  readonly divisor: number;
  /** Where the stream is in fixed point instead: by which its channels are divided at most. */
  readonly balanced?: number;
}

/** @param g the graph that was calibrated, in f32. */
export function halfRangeOf(g: Graph, { text, tokens, values }: Calibration): HalfRange {
  const names = nodeNames(g);
  const { stream, sources } = residualStream(g);
  const layers = new Map<string, LayerReach>();
  let most = 0;
  for (const n of topo(g)) {
    const name = names.get(n)!;
    const range = values[name]?.minmax;
    if (!range) continue;
    const reaches = Math.max(-range.min, range.max);
    const scales = stream.has(n) || sources.has(n);
    if (scales) most = Math.max(most, reaches);
    const layer = /^h\d+(?=\.)/.exec(name)?.[0] ?? "model";
    const known = layers.get(layer);
    const besides = Math.max(known?.besides ?? 0, scales ? 0 : reaches);
    const furthest = known && known.reaches >= reaches ? known : { value: name, reaches };
    layers.set(layer, {
      layer,
      value: furthest.value,
      reaches: furthest.reaches,
      besides,
      fits: furthest.reaches <= largestHalf,
    });
  }
  return { text, tokens, layers: [...layers.values()], divisor: divisorFor(most) };
}

/** Whether f16 holds all values once the residual stream has been divided. */
export const isHalfSafe = ({ layers }: HalfRange): boolean => layers.every((l) => l.besides <= largestHalf);

/** What makes f16 safe: nothing where it is. */
export const halfPasses = ({ divisor }: HalfRange): Pass[] => (divisor > 1 ? [scaleResidual(divisor)] : []);

/** What `compile` prints: a line per layer that f16 does not hold, and what is done about it. */
export function halfRangeText({ text, tokens, layers, divisor, balanced }: HalfRange): string {
  const head = `range of f16 (65504), checked on ${text} (${tokens} tokens, measured): `;
  const bad = layers.filter((l) => !l.fits);
  if (bad.length === 0) {
    const furthest = [...layers].sort((a, b) => b.reaches - a.reaches)[0];
    return `${head}all layers fit, the largest value is ${furthest?.reaches.toPrecision(3)} (%${furthest?.value})\n`;
  }
  const rows = bad.map((l) => [l.layer, `%${l.value}`, l.reaches.toPrecision(3), l.besides.toPrecision(3)]);
  const columns = [
    { title: "does not fit" },
    { title: "value" },
    { title: "reaches", align: "right" as const },
    { title: "besides the residual stream", align: "right" as const },
  ];
  const done = balanced
    ? `the residual stream is in 16-bit fixed point, its channels divided by up to ${balanced}\n`
    : divisor > 1
      ? `the residual stream is divided by ${divisor}\n`
      : "";
  const left = bad.some((l) => l.besides > largestHalf)
    ? "warning: values beside the residual stream overflow and are not helped by that\n"
    : "";
  return `${head}${layers.length - bad.length} of ${layers.length} layers fit\n${table(columns, rows)}${done}${left}`;
}
