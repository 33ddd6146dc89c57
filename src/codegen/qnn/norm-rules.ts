/**
 * Norms by the root mean square as HTP computes them in fixed point. It has RmsNorm in u16, but LayerNorm is over four times as fast for one
 * row (docs/htp-legalisation.md), and neither holds a row of which some channels are thousands of times larger than the others.
 */
import { type Node, renamed } from "../../ir/node.ts";
import { add, concat, constant, layerNorm, mul, reshape, rmsNorm, slice } from "../../ir/ops/index.ts";
import { v } from "../../ir/pattern.ts";
import { type Rule, rule, skip } from "../../ir/rewrite.ts";
import { valuesOf } from "./fixed.ts";

/** x beside -x has mean 0, so its standard deviation is the root mean square of x. */
const normOverPairs = rule("norm-over-pairs", rmsNorm.pat(v("x"), v("gamma")).as("n"), ({ x, gamma, n }) => {
  const [rows, width] = x.type.shape as [number, number];
  if (x.type.shape.length !== 2 || rows !== 1)
    return skip("has several rows: joining them would be slower than RmsNorm");
  const { dtype } = x.type;
  const signs = constant({ dtype, shape: [2, 1], values: [1, -1] });
  const pairs = reshape(mul(x, signs), { shape: [1, 2 * width] });
  const nothing = constant({ dtype, shape: [width], values: [0] });
  const shift = constant({ dtype, shape: [2 * width], values: [0] });
  const both = layerNorm(pairs, concat([gamma, nothing], { axis: 0 }), shift, n.attrs);
  return slice(both, { axis: 1, start: 0, size: width });
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
const normOfBalanced = (units: NormUnits): Rule =>
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
    const wide =
      rows === 1
        ? add(
            reshape(named("wide.x", mul(x, of([...divisors, ...minus, ...nothing], 3, width))), {
              shape: [1, 3 * width],
            }),
            of([...nothing, ...nothing, ...units3], 3 * width),
          )
        : concat(
            [
              named("wide.x", mul(x, of(divisors, width))),
              named("wide.y", mul(x, of(minus, width))),
              of(Array.from({ length: rows }, () => units3).flat(), rows, width),
            ],
            { axis: 1 },
          );
    const eps = ((n.attrs.eps as number) * 2) / 3;
    const lengths = layerNorm(
      named("wide", wide),
      of([...nothing, ...nothing, ...ends.map((e) => e / (unit * yielded))], 3 * width),
      of([0], 3 * width),
      { eps },
    );
    const inverse = slice(named("inverse", lengths), { axis: 1, start: 2 * width, size: width });
    return mul(named("normal", mul(x, inverse)), mul(gamma, of(divisors, width)));
  });

/** The first that applies is taken. */
export const normRules = (units: NormUnits): readonly Rule[] => [normOfBalanced(units), normOverPairs];
