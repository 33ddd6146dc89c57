/**
 * What the memory of a machine allows a model to do, on paper: no weights are needed for it. Decoding one token reads every weight
 * once, so one stream is bound by bytes; several streams, or drafted tokens that are checked together, share one reading.
 */
import { costOf } from "../../ir/cost.ts";
import { bind } from "../../ir/graph.ts";
import type { Module } from "../../ir/program.ts";
import { type Figure, loadTarget, targetNames } from "../../targets/target.ts";

/** How weights may be stored: bits of each, the scales of blocks of 32 included. */
export const storages = [
  { name: "f16", bits: 16 },
  { name: "q8_0", bits: 8.5 },
  { name: "q4_0", bits: 4.5 },
] as const;

export interface DecodeCost {
  /** Places of the largest context, with which the step is counted. */
  readonly context: number;
  /** Weights that a token reads. */
  readonly weights: number;
  /** Bytes of keys and values that a token reads, in f16. */
  readonly cacheBytes: number;
  readonly flops: number;
}

/** @param module in f32, after its passes; undefined where it has no decode step. */
export function decodeCost({ graph, entries }: Module): DecodeCost | undefined {
  const decode = entries.filter((e) => e.role === "decode").at(-1);
  if (!decode) return undefined;
  const cost = costOf(bind(graph, decode.bind));
  return {
    context: decode.bind.C ?? 0,
    weights: cost.weightBytes / 4,
    cacheBytes: cost.cacheBytes / 2,
    flops: cost.flops,
  };
}

/** Bytes of keys and values that are held at each context size, one per value of `bits` bits. */
export const cacheMemory = ({ graph, entries }: Module, bits: number): { context: number; bytes: number }[] =>
  entries
    .filter((e) => e.role === "decode")
    .map(({ bind: sizes }) => ({
      context: sizes.C ?? 0,
      bytes: graph.state.reduce(
        (sum, { cache }) =>
          sum +
          (cache.type.shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : sizes[d.sym]!), 1) * bits) / 8,
        0,
      ),
    }));

export interface Bound {
  readonly machine: string;
  readonly rate: Figure;
  readonly storage: string;
  readonly bytesPerToken: number;
  /** Tokens per second of one stream. */
  readonly stream: number;
  /** Streams side by side that reach the goal together; undefined where their caches alone need more than the memory gives. */
  readonly streams: number | undefined;
  /** Tokens that one reading of the weights must yield for one stream to reach the goal. */
  readonly accepted: number;
  /** Tokens per second that arithmetic allows, where the machine's peak is known. */
  readonly arithmetic: number | undefined;
}

/** Every target with every rate at which it can read memory. @param goal tokens per second. */
export function bounds(cost: DecodeCost, goal: number): Bound[] {
  return targetNames().flatMap((name) => {
    const target = loadTarget(name);
    const rates = Object.entries(target.facts ?? {}).filter(([fact, f]) => f.unit === "byte/s" && memories.has(fact));
    const peak = Math.max(0, ...target.peaks.map((p) => p.rate.value));
    return [["", target.memoryRate] as const, ...rates].flatMap(([fact, rate]) =>
      storages.map(({ name: storage, bits }): Bound => {
        const weightBytes = (cost.weights * bits) / 8;
        const bytesPerToken = weightBytes + cost.cacheBytes;
        const stream = rate.value / bytesPerToken;
        // n streams read n caches and the weights once: n rate / (weights + n cache) >= goal.
        const spare = rate.value - goal * cost.cacheBytes;
        return {
          machine: fact ? `${name}, ${memories.get(fact)}` : name,
          rate,
          storage,
          bytesPerToken,
          stream,
          streams: spare > 0 ? Math.max(1, Math.ceil((goal * weightBytes) / spare)) : undefined,
          accepted: Math.max(1, goal / stream),
          arithmetic: peak > 0 ? peak / cost.flops : undefined,
        };
      }),
    );
  });
}

/** Facts of machines that are further ways to read weights. */
const memories = new Map([
  ["igpuRate", "GPU beside it"],
  ["ddrPeak", "peak of its memory"],
]);
