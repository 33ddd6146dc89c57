/**
 * Norms by the root mean square as HTP computes them in fixed point. It has RmsNorm in u16, but LayerNorm is over four times as fast for one
 * row (docs/htp-legalisation.md), and neither holds a row of which some channels are thousands of times larger than the others.
 */
import { rebuild } from "../../ir/graph.ts";
import { type Node, renamed } from "../../ir/node.ts";
import {
  add,
  concat,
  constant,
  dequantize,
  layerNorm,
  mul,
  quantize,
  quantizedLinear,
  reshape,
  rmsNorm,
  slice,
} from "../../ir/ops/index.ts";
import type { Encoding } from "../../ir/ops/support/quant.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";
import { elements, staticShape } from "../../ir/type.ts";
import { highest, spanning, valuesOf } from "./fixed.ts";
import type { KnownRange, KnownRanges } from "./fixed-operands.ts";

/** x beside -x has mean 0, so its standard deviation is the root mean square of x. */
const normOverPairs = rule("norm-over-pairs", rmsNorm.pat(v("x"), v("gamma")).as("n"), ({ x, gamma, n }) => {
  const [rows, width] = x.type.shape as [number, number];
  if (x.type.shape.length !== 2 || rows !== 1)
    return skip("has several rows: joining them would be slower than RmsNorm");
  const { dtype } = x.type;
  const of = (value: number, size = width) => constant({ dtype, shape: [size], values: Array(size).fill(value) });
  const row = aroundZero(x);
  const pairs = concat([row, mul(row, of(-1))], { axis: 1 });
  const both = layerNorm(pairs, concat([gamma, of(0)], { axis: 0 }), of(0, 2 * width), n.attrs);
  return slice(both, { axis: 1, start: 0, size: width });
});

/** Joining a row and its negative is only fast where both are in the same steps: a product then yields as much below zero as above. */
function aroundZero(x: Node): Node {
  const product = x.inputs[0];
  if (x.op !== dequantize || product?.op !== quantizedLinear || product.type.dtype !== "u16") return x;
  const { scale, offset } = product.attrs as unknown as Encoding;
  const reach = Math.max(-offset, 65535 + offset);
  const around = { ...product.attrs, scale: Math.fround((scale * reach) / 32767), offset: -32768 };
  const { name, loc } = product;
  return rebuild(x, [product.op.build(product.inputs, around, { name, loc })]);
}

/** Whether its type holds all of it: f16 ends at 65504. */
const isHeld = (range: KnownRange | undefined): boolean =>
  range !== undefined && Number.isFinite(range.min) && Number.isFinite(range.max);

/** rmsNorm(x) for x [.., rows, width] as the norm of one matrix [.. * rows, width]. */
export function normAsMatrix(x: Node, gamma: Node, { attrs }: Node): Node {
  const shape = staticShape(x.type.shape);
  const width = shape.at(-1)!;
  return reshape(rmsNorm(reshape(x, { shape: [elements(shape) / width, width] }), gamma, attrs), { shape });
}

/** One token's heads are rows of one tile; as [heads, 1, dim] each would be a tile of its own, all padding but for one row. */
const normOfHeads = rule("norm-of-heads", rmsNorm.pat(v("x"), v("gamma")).as("n"), ({ x, gamma, n }) => {
  const [heads, rows] = staticShape(x.type.shape);
  if (x.type.shape.length !== 3 || rows !== 1 || heads === 1) return skip("is not several heads of one token");
  return normAsMatrix(x, gamma, n);
});

/** By the name of a norm, the constant that stands beside its rows. */
export type NormUnits = ReadonlyMap<string, number>;

/** What LayerNorm over x, -x and plus and minus a constant c yields for c: c / sqrt((2 rms(x)^2 + c^2) / 3). */
const yielded = Math.sqrt(3 / 2);

/**
 * rmsNorm(x' d) where x' is in fixed point and x' d is not: rows of x' d, in coarse steps, are good enough for their length, which large
 * channels decide. Beside them stands a constant; what LayerNorm makes of it is one over the length, by which x' is multiplied in its own
 * fine steps. The constant must be small: it lengthens the row by c^2 / 2.
 */
const normOfBalanced = ({ units, encodings, ranges }: NormDetails): Rule =>
  rule("norm-of-balanced", rmsNorm.pat(mul.pat(v("x"), v("d")), v("gamma")).as("n"), ({ x, d, gamma, n }) => {
    const unit = units.get(n.name ?? "");
    const divisors = valuesOf(d);
    const [rows, width] = x.type.shape as [number, number];
    if (unit === undefined || divisors?.length !== width) return skip("not a norm of a balanced stream");
    if (x.type.shape.length !== 2 || width % 2) return skip("rows of even width are taken alone");
    const { dtype } = x.type;
    const of = (values: readonly number[], ...shape: number[]) => constant({ dtype, shape, values });
    const named = (part: string, value: Node) => renamed(value, { name: `${n.name}.${part}` });
    const nothing = Array<number>(width).fill(0);
    const ends = nothing.map((_, c) => (c % 2 ? -1 : 1));
    const units3 = ends.map((e) => e * unit);
    const minus = divisors.map((s) => -s);
    // One row waits for each op, and for a slice from the front a little less.
    const wide =
      rows === 1
        ? add(
            reshape(named("wide.x", mul(x, of([...nothing, ...divisors, ...minus], 3, width))), {
              shape: [1, 3 * width],
            }),
            of([...units3, ...nothing, ...nothing], 3 * width),
          )
        : concat(
            [
              named("wide.x", mul(x, of(divisors, width))),
              named("wide.y", mul(x, of(minus, width))),
              of(Array.from({ length: rows }, () => units3).flat(), rows, width),
            ],
            { axis: 1 },
          );
    /** What LayerNorm yields for the constant, times a scale for each channel. */
    const beside = (part: string, scale: Node, to?: Encoding): Node => {
      const others = of([...nothing, ...nothing], 2 * width);
      const scales = concat(rows === 1 ? [scale, others] : [others, scale], { axis: 0 });
      const eps = ((n.attrs.eps as number) * 2) / 3;
      const parts = named(part, layerNorm(named("wide", wide), scales, of([0], 3 * width), { eps }));
      const known = to ? dequantize(quantize(parts, { dtype: "u16", ...to }), { dtype }) : parts;
      return slice(known, { axis: 1, start: rows === 1 ? 0 : 2 * width, size: width });
    };
    const inverses = of(
      ends.map((e) => e / (unit * yielded)),
      width,
    );
    const gain = mul(gamma, of(divisors, width));
    const inverse = encodings.get(`${n.name}.inverse`);
    const reach = rows === 1 ? ranges.of(gain) : undefined;
    const scale = mul(gain, inverses);
    if (!inverse || !reach || !isHeld(ranges.of(scale)))
      return mul(named("normal", mul(x, beside("inverse", inverses))), gain);
    // For one row the gains of channels over the length come out of LayerNorm at once, and a product is spared.
    const [low, high] = [reach.min, reach.max].map((r) => r * highest(inverse)) as [number, number];
    return mul(x, beside("gain", scale, spanning(Math.min(0, low), Math.max(0, high))));
  });

/** What is known of the values of norms. */
export interface NormDetails {
  readonly units: NormUnits;
  readonly encodings: ReadonlyMap<string, Encoding>;
  readonly ranges: KnownRanges;
}

/** The first that applies is taken. */
export const normRules = (details: NormDetails): readonly Rule[] => [
  normOfBalanced(details),
  normOverPairs,
  normOfHeads,
];
