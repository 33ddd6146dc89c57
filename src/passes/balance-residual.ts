import { mapGraph } from "../ir/graph.ts";
import type { Node } from "../ir/node.ts";
import { constant, mul, rmsNorm } from "../ir/ops/index.ts";
import { type Pass, pass } from "./pass.ts";
import { residualStream } from "./scale-residual.ts";
import { inPlaceOf } from "./support/naming.ts";

/**
 * Powers of two by which the channels of a residual stream are divided so that they reach equally far: a few channels of trained models
 * are thousands of times larger than the others, which an encoding for all of them would round to nothing.
 * @param reaches for each value of the stream the largest magnitude of each channel
 */
export function divisorsFor(reaches: readonly (readonly number[])[]): number[] {
  const ratios = reaches.map((channels) => {
    const middle = [...channels].sort((a, b) => a - b)[channels.length >> 1]!;
    return channels.map((reach) => (middle > 0 ? reach / middle : 1));
  });
  const width = reaches[0]?.length ?? 0;
  return Array.from({ length: width }, (_, c) => {
    const most = ratios.reduce((m, r) => Math.max(m, r[c]!), 1);
    return 2 ** Math.round(Math.log2(most));
  });
}

/**
 * Each channel of the residual stream is kept divided by a power of two. What adds to the stream is divided when weights are written;
 * norms, the only readers, multiply again: rmsNorm(x, gamma) = rmsNorm(x' d, gamma). Targets in fixed point take the two together.
 */
export const balanceResidual = (divisors: readonly number[]): Pass =>
  pass(
    "balance-residual",
    (graph, context) => {
      const { stream, sources } = residualStream(graph);
      const times = (x: Node, of: (d: number) => number, name: string | undefined, at: Node): Node =>
        inPlaceOf(at, name, () =>
          mul(x, constant({ dtype: x.type.dtype, shape: [divisors.length], values: divisors.map(of) })),
        );
      const isRead = (x: Node): boolean => stream.has(x) || sources.has(x);
      return mapGraph(graph, (n, original) => {
        const inputs = [...n.inputs];
        if (n.op === rmsNorm && isRead(original.inputs[0]!)) {
          inputs[0] = times(inputs[0]!, (d) => d, n.name && `${n.name}.whole`, n);
          context.hit("norm-of-balanced");
        }
        if (sources.has(original)) {
          inputs[1] = times(inputs[1]!, (d) => 1 / d, n.name, n);
          context.hit("divide-source");
        }
        return inputs.some((x, i) => x !== n.inputs[i]) ? n.op.build(inputs, n.attrs, { name: n.name, loc: n.loc }) : n;
      });
    },
    {
      doc: "Each channel of the residual stream is divided by a power of two, so that one fixed-point encoding holds all.",
    },
  );
