import { type Graph, mapGraph, topo } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { add, gather, mul, rmsNorm, scalar } from "../ir/ops/index.ts";
import { type Pass, pass } from "./pass.ts";
import { inPlaceOf } from "./support/naming.ts";
import { isStatic } from "./support/static.ts";

/** The largest number of f16. */
export const largestHalf = 65504;
/** Other texts than the one that was read reach further: so much room is left. */
const room = 4;

/** The power of two by which values of that magnitude must be divided to be held in f16, with room to spare; 1 where they fit. */
export const divisorFor = (reaches: number): number =>
  reaches <= largestHalf ? 1 : 2 ** Math.ceil(Math.log2((reaches * room) / largestHalf));

/** What may add to a residual stream: the embedding, as a table's rows times a number, and norms. */
const isSource = (n: Node): boolean =>
  (n.op === rmsNorm && n.inputs[1] !== undefined && isStatic(n.inputs[1])) || (n.op === mul && isStatic(n.inputs[1]!));
/** Rows picked from the stream are still of it. */
const isPick = (n: Node): boolean => n.op === gather && !isStatic(n.inputs[0]!);

/** The sums, and the rows picked from them, of which every reader is a norm or another one of them; what they are the sums of. */
export function residualStream(g: Graph): { readonly stream: ReadonlySet<Node>; readonly sources: ReadonlySet<Node> } {
  const nodes = topo(g).filter((n) => !isStatic(n));
  const stream = new Set<Node>();
  const sources = new Set<Node>();
  for (const n of nodes) {
    const parts = n.op === add ? n.inputs : isPick(n) ? [n.inputs[0]!] : [];
    if (parts.length === 0 || !parts.every((x) => stream.has(x) || isSource(x))) continue;
    stream.add(n);
    for (const x of parts) if (!stream.has(x)) sources.add(x);
  }
  const joins = new Set<AnyOp>([add, gather]);
  const fits = (n: Node, reader: Node): boolean =>
    (joins.has(reader.op) && stream.has(reader)) || (reader.op === rmsNorm && reader.inputs[0] === n);
  const alone = nodes.every((reader) =>
    reader.inputs.every((x) => !(stream.has(x) || sources.has(x)) || fits(x, reader)),
  );
  const yielded = [...g.outputs, ...g.state.map((s) => s.next)].some((n) => stream.has(n) || sources.has(n));
  return alone && !yielded ? { stream, sources } : { stream: new Set(), sources: new Set() };
}

/**
 * The residual stream is kept divided by a power of two, because f16 cannot hold what it grows to. Only norms read it, and
 * rms(x / s) with epsilon / s^2 is that of x: so the embedding and the norms that add to the stream are divided, and nothing else
 * changes. A power of two costs no accuracy.
 */
export const scaleResidual = (divisor: number): Pass =>
  pass(
    "scale-residual",
    (graph, context) => {
      const { stream, sources } = residualStream(graph);
      const divided = (n: Node, operand: number, eps: number): Node => {
        const part = n.inputs[operand]!;
        const smaller = inPlaceOf(n, n.name, () => mul(part, scalar(1 / divisor, part.type.dtype)));
        const inputs = n.inputs.map((x, i) => (i === operand ? smaller : x));
        const attrs = n.op === rmsNorm ? { ...n.attrs, eps } : n.attrs;
        return n.op.build(inputs, attrs, { name: n.name, loc: n.loc });
      };
      return mapGraph(graph, (n, original) => {
        const inside = n.op === rmsNorm && (stream.has(original.inputs[0]!) || sources.has(original.inputs[0]!));
        const eps = n.attrs.eps as number;
        if (sources.has(original)) {
          context.hit("divide-source");
          return divided(n, 1, inside ? eps / divisor ** 2 : eps);
        }
        if (!inside) return n;
        context.hit("norm-of-divided");
        return n.op.build(n.inputs, { ...n.attrs, eps: eps / divisor ** 2 }, { name: n.name, loc: n.loc });
      });
    },
    {
      doc: "The residual stream is divided by a power of two where f16 could not hold it; norms do not see the difference.",
    },
  );
