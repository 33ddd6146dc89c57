/** Calibration: the model runs on a text in f32, and the range of each value is written down. */
import { scoresOf } from "../../../codegen/qnn/index.ts";
import { HeddleError } from "../../../ir/error.ts";
import { type Graph, topo } from "../../../ir/graph.ts";
import { describe, type Node } from "../../../ir/node.ts";
import {
  cachedAttention,
  flashCachedAttention,
  gather,
  layerNorm,
  matmul,
  mul,
  rmsNorm,
  scalar,
} from "../../../ir/ops/index.ts";
import { grouped } from "../../../ir/ops/support/attention.ts";
import { nodeNames } from "../../../ir/print.ts";
import { staticShape } from "../../../ir/type.ts";
import type { Range } from "../../../passes/support/encoding.ts";
import { isStatic } from "../../../passes/support/static.ts";
import type { WeightSource } from "../../../weights/source.ts";
import { CacheWatch } from "./caches.ts";
import type { Calibration } from "./calibration.ts";
import { Histogram } from "./histogram.ts";
import { ImportanceWatch } from "./importance.ts";
import { ResidualWatch } from "./residual.ts";
import { withValues } from "./run.ts";
import type { CalibrationTokens } from "./text.ts";

/** Of values that `percentile` leaves out. */
const outside = 1e-4;

/** Every value in floats that is computed when the graph runs; what merely moves values is left out. */
export const observedIn = (g: Graph): Node[] => {
  const caches = new Set(g.state.flatMap((s) => [s.cache, s.next]));
  return topo(g).filter((n) => n.type.dtype === "f32" && n.op.name !== "input" && !isStatic(n) && !caches.has(n));
};

/** Scores of each attention on a cache, of all queries against all its places: at least what the attention sees. */
const scoresIn = (g: Graph): Map<Node, Node> =>
  new Map(
    topo(g)
      .filter((n) => n.op === cachedAttention || n.op === flashCachedAttention)
      .map((n) => {
        const { q, k } = grouped(n.inputs[0]!, n.inputs[1]!, n.inputs[2]!);
        return [n, matmul(mul(q, scalar(n.attrs.scale as number)), k)];
      }),
  );

/** Scales and shifts of norms, which are operands like others where a target computes norms in fixed point. */
const normParamsIn = (g: Graph): Node[] => [
  ...new Set(
    topo(g)
      .filter((n) => n.op === layerNorm || n.op === rmsNorm)
      .flatMap((n) => n.inputs.slice(1))
      .filter((n) => n.op.name === "param" && n.type.dtype === "f32"),
  ),
];

/** Tables that rows are picked from by their number: embeddings. */
const tablesIn = (g: Graph): Node[] => [
  ...new Set(
    topo(g)
      .filter((n) => n.op === gather && n.inputs[0]!.op.name === "param" && n.inputs[0]!.type.dtype === "f32")
      .map((n) => n.inputs[0]!),
  ),
];

/** Rows of a table that are read at once. */
const tableRows = 4096;

/** Any token may come later, so that the range of a table is that of all its rows, whatever the method. */
function tableRange(table: Node, weights: WeightSource): Range {
  const [name, shape] = [table.attrs.name as string, staticShape(table.type.shape)];
  const seen = new Histogram();
  if (!weights.readRows) seen.add(weights.read(name, shape));
  else
    for (let start = 0; start < shape[0]!; start += tableRows)
      seen.add(weights.readRows({ name, shape }, start, Math.min(tableRows, shape[0]! - start)));
  return seen.range;
}

/** Every value whose range a target may ask for, by its name; tables are read, all others are seen in runs. */
function wantedIn(g: Graph): { readonly values: Map<Node, string>; readonly tables: Map<Node, string> } {
  const names = new Map(nodeNames(g));
  const scores = scoresIn(g);
  for (const [attention, n] of scores) names.set(n, scoresOf(names.get(attention)!));
  const named = (nodes: readonly Node[]) => new Map(nodes.map((n) => [n, names.get(n)!]));
  return {
    values: named([...observedIn(g), ...scores.values(), ...normParamsIn(g)]),
    tables: named(tablesIn(g)),
  };
}

/** Names of what a calibration of this graph has and the given one has not: an older one saw less. */
export function missingIn({ values }: Calibration, g: Graph): string[] {
  const wanted = wantedIn(g);
  return [...wanted.values.values(), ...wanted.tables.values()].filter((name) => !Object.hasOwn(values, name));
}

/** @throws HeddleError naming the first value that is not finite. */
export async function calibrate(
  program: string,
  g: Graph,
  weights: WeightSource,
  { text, sequences }: CalibrationTokens,
  progress: (share: number) => void = () => {},
): Promise<Calibration> {
  const { values: named, tables } = wantedIn(g);
  const wanted = [...named.keys()];
  const seen = wanted.map(() => new Histogram());
  const residual = new ResidualWatch(g);
  const caches = new CacheWatch(g);
  const importance = new ImportanceWatch(g);
  const watches = [residual, caches, importance];
  await withValues(g, [...wanted, ...watches.flatMap((w) => w.wanted)], weights, async (run) => {
    for (const [i, sequence] of sequences.entries()) {
      const values = await run(sequence);
      for (const [k, histogram] of seen.entries()) histogram.add(values[k] as Float32Array);
      let at = wanted.length;
      for (const watch of watches) {
        watch.add(values.slice(at, at + watch.wanted.length));
        at += watch.wanted.length;
      }
      progress((i + 1) / sequences.length);
    }
  });
  const bad = seen.findIndex((h) => h.notFinite > 0);
  if (bad >= 0)
    throw new HeddleError(`has values that are not finite (${seen[bad]!.notFinite} of ${seen[bad]!.count})`, {
      subject: describe(wanted[bad]!),
      loc: wanted[bad]!.loc,
      hint: "check the weights: f32 overflows here on ordinary text",
    });
  const stream = residual.ranges(nodeNames(g));
  const kept = caches.ranges(nodeNames(g));
  return {
    format: "heddle.calibration/1",
    program,
    weights: weights.name,
    text,
    tokens: sequences.reduce((n, s) => n + s.length, 0),
    ...(stream && { residual: stream }),
    ...(kept && { caches: kept }),
    importance: importance.of(nodeNames(g)),
    values: Object.fromEntries([
      ...wanted.map((n, i) => {
        const h = seen[i]!;
        const [mse, mse8] = [h.leastError(2 ** 16), h.leastError(2 ** 8)];
        return [named.get(n)!, { minmax: h.range, percentile: h.percentile(outside), mse, mse8 }];
      }),
      ...[...tables].map(([n, name]) => {
        const range = tableRange(n, weights);
        return [name, { minmax: range, percentile: range, mse: range, mse8: range }];
      }),
    ]),
  };
}
