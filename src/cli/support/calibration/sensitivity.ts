/**
 * What quantisation costs, layer by layer: one graph computes each linear in floats and in fixed point, and inputs switch between
 * the two, so that a layer can be quantised alone, or all of them, without building anything again.
 */
import { type Graph, graph, mapGraph } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import { add, input, mul, sub } from "../../../ir/ops/index.ts";
import { withOrigin } from "../../../ir/origin.ts";
import { elements } from "../../../ir/type.ts";
import { isHead, islandsOf, linearsOf, type QuantizeOptions, type WeightBits } from "../../../passes/quantize.ts";
import type { WeightSource } from "../../../weights/source.ts";
import { divergence, lossOf, Noise } from "./losses.ts";
import { withValues } from "./run.ts";

export interface LayerReport {
  readonly name: string;
  readonly loc?: string;
  readonly bits: WeightBits;
  /** Inputs that share a scale, where not all of a row do. */
  readonly blockSize?: number;
  /** Of the weights as they are read: packed integers and scales, or halves. */
  readonly bytes: number;
  /** Of the layer's result on its operands in floats, in dB; undefined for a layer in floats. */
  readonly sqnr?: number;
  /** What quantising this layer alone does to the next token's distribution: mean KL divergence in nats, where it was asked for. */
  readonly divergence?: number;
}

export interface QualityReport {
  readonly layers: readonly LayerReport[];
  /** Of the logits of the whole model, in dB. */
  readonly logitsSqnr: number;
  /** Perplexity on the text that was calibrated on, in floats and quantised. */
  readonly perplexity: { readonly float: number; readonly quantized: number };
  /** Tokens that the figures come from. */
  readonly tokens: number;
}

/** Bytes of the weights of a linear: integers with a scale per row, and four bits per block where they have blocks; or halves. */
export function weightBytes(n: Node, bits: WeightBits, blockSize?: number): number {
  const w = n.inputs[1]!;
  const count = elements(w.type.shape);
  if (bits === "float") return 2 * count;
  const blocks = bits === 4 && blockSize ? count / blockSize : 0;
  return (count * bits) / 8 + 4 * (w.type.shape[0] as number) + blocks / 2;
}

interface Probe {
  readonly node: Node;
  readonly name: string;
  readonly bits: WeightBits;
  /** Switches the layer: 0 in floats, 1 in fixed point. */
  readonly flag: string;
}

/**
 * @param each whether every layer is also quantised alone, which takes a run for each.
 * @param sequences of which the first few are read.
 */
export async function measureQuality(
  g: Graph,
  options: QuantizeOptions,
  weights: WeightSource,
  sequences: readonly (readonly number[])[],
  { each = false, progress = () => {} }: { each?: boolean; progress?: (share: number) => void } = {},
): Promise<QualityReport> {
  const island = islandsOf(g, options);
  const logits = g.outputs.find((n) => isHead(g, n)) ?? g.outputs[0]!;
  const probes: Probe[] = [];
  const floats = new Map<Node, Node>();
  const fixed = new Map<Node, Node>();
  const flags: Node[] = [];
  const probed = mapGraph(g, (n, original) => {
    const made = island(original, n.inputs);
    if (!made) return n;
    const flag = withOrigin({ name: undefined, loc: n.loc }, () => input(`probe.${flags.length}`, "f32", 1));
    flags.push(flag);
    floats.set(original, n);
    fixed.set(original, made);
    return add(n, mul(sub(made, n), flag));
  });
  for (const [node, name] of linearsOf(g))
    probes.push({ node, name, bits: options.bits(node, name), flag: flagOf(floats, node) });
  const switched = probes.filter((p) => p.bits !== "float");
  const wanted = [
    probed.outputs[g.outputs.indexOf(logits)]!,
    ...switched.flatMap((p) => [floats.get(p.node)!, fixed.get(p.node)!]),
  ];
  const whole = graph(probed.name, { ...probed, inputs: [...probed.inputs, ...flags] });
  const set = (on: (p: Probe) => boolean) => Object.fromEntries(switched.map((p) => [p.flag, [on(p) ? 1 : 0]]));
  const noise = new Map(switched.map((p) => [p, new Noise()]));
  const alone = new Map(switched.map((p) => [p, 0]));
  const all = new Noise();
  let [floatLoss, fixedLoss, tokens, done] = [0, 0, 0, 0];
  const few = sequences.slice(0, each ? fewest : most);
  await withValues(whole, wanted, weights, async (run) => {
    const steps = few.length * (2 + (each ? switched.length : 0));
    const step = () => progress(++done / steps);
    for (const sequence of few) {
      const values = await run(
        sequence,
        set(() => false),
      );
      const truth = Float32Array.from(values[0]!);
      for (const [i, p] of switched.entries()) noise.get(p)!.add(values[2 * i + 1]!, values[2 * i + 2]!);
      step();
      const [quantized] = await run(
        sequence,
        set(() => true),
      );
      all.add(truth, quantized!);
      floatLoss += lossOf(truth, sequence);
      fixedLoss += lossOf(quantized!, sequence);
      tokens += sequence.length - 1;
      step();
      if (!each) continue;
      for (const p of switched) {
        const [only] = await run(
          sequence,
          set((q) => q === p),
        );
        alone.set(p, alone.get(p)! + divergence(truth, only!, sequence.length));
        step();
      }
    }
  });
  const rows = few.reduce((n, s) => n + s.length, 0);
  return {
    layers: probes.map((p) => ({
      name: p.name,
      ...(p.node.loc && { loc: `${p.node.loc.file}:${p.node.loc.line}` }),
      bits: p.bits,
      ...(p.bits === 4 && options.blockSize && { blockSize: options.blockSize }),
      bytes: weightBytes(p.node, p.bits, options.blockSize),
      ...(noise.has(p) && { sqnr: noise.get(p)!.sqnr }),
      ...(each && alone.has(p) && { divergence: alone.get(p)! / rows }),
    })),
    logitsSqnr: all.sqnr,
    perplexity: { float: Math.exp(floatLoss / tokens), quantized: Math.exp(fixedLoss / tokens) },
    tokens,
  };
}

/** Sequences that the figures come from: enough to rank layers. */
const most = 4;
/** Where each layer takes a run of its own. */
const fewest = 2;

/** Switches are numbered in the order in which layers are found. */
const flagOf = (found: ReadonlyMap<Node, Node>, node: Node): string => `probe.${[...found.keys()].indexOf(node)}`;

/**
 * Which layers get more bits, so that the weights grow by `budget` bytes at most: those first that do most harm for each byte that
 * they would take. Four bits become eight, eight become halves.
 */
export function spend(
  layers: readonly (LayerReport & { readonly divergence?: number })[],
  bytesWith: (name: string, bits: WeightBits) => number,
  budget: number,
): Map<string, WeightBits> {
  const better = (bits: WeightBits): WeightBits => (bits === 4 ? 8 : "float");
  const candidates = layers
    .filter((l) => l.divergence !== undefined && l.bits !== "float")
    .map((l) => ({ ...l, extra: bytesWith(l.name, better(l.bits)) - l.bytes }))
    .sort((a, b) => b.divergence! / b.extra - a.divergence! / a.extra);
  const chosen = new Map<string, WeightBits>();
  for (const { name, bits, extra } of candidates) {
    if (extra > budget) continue;
    budget -= extra;
    chosen.set(name, better(bits));
  }
  return chosen;
}
