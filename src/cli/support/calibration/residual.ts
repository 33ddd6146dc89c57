/** What calibration learns of a residual stream that only norms read: how far each channel reaches, and how long its rows are. */
import { type Graph, topo } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import { constant, mul, rmsNorm, sqrt } from "../../../ir/ops/index.ts";
import { mean } from "../../../ir/ops/support/mean.ts";
import { divisorsFor } from "../../../passes/balance-residual.ts";
import { residualStream } from "../../../passes/scale-residual.ts";
import type { Range } from "../../../passes/support/encoding.ts";

/** What a norm of the stream must be computed with. */
export interface NormRanges {
  /** The largest magnitude that it reads, in channels that are not divided. */
  readonly wide: number;
  /** Root mean squares of the rows. */
  readonly rms: Range;
  /** The largest magnitude of x' / rms(x), where x' are the divided channels. */
  readonly normal: number;
}

export interface ResidualRanges {
  /** By which each channel is divided; all of them 1 where none stands out. */
  readonly divisors: readonly number[];
  /** The largest magnitude of each value of the stream and of what adds to it, in divided channels, by name. */
  readonly reaches: Readonly<Record<string, number>>;
  /** By the name of the norm. */
  readonly norms: Readonly<Record<string, NormRanges>>;
}

/** The largest magnitude in each column of all rows that it is given. */
class Columns {
  readonly most: Float64Array;
  constructor(width: number) {
    this.most = new Float64Array(width);
  }
  add(values: ArrayLike<number>): void {
    const { most } = this;
    for (let i = 0, c = 0; i < values.length; i++, c = c + 1 === most.length ? 0 : c + 1) {
      const reach = Math.abs(values[i]!);
      if (reach > most[c]!) most[c] = reach;
    }
  }
  over(divisors: readonly number[]): number {
    return this.most.reduce((m, reach, c) => Math.max(m, reach / divisors[c]!), 0);
  }
}

const widthOf = (n: Node): number => n.type.shape.at(-1) as number;

/** Watches the stream of `g` while it runs. `wanted` are the values to hand to `add`, in this order. */
export class ResidualWatch {
  readonly wanted: readonly Node[];
  readonly #columns: readonly Columns[];
  readonly #rms: { min: number; max: number }[];
  readonly #values: readonly Node[];
  readonly #stream: ReadonlySet<Node>;
  readonly #norms: readonly Node[];

  constructor(g: Graph) {
    const { stream, sources } = residualStream(g);
    this.#stream = stream;
    this.#norms = topo(g).filter((n) => n.op === rmsNorm && (stream.has(n.inputs[0]!) || sources.has(n.inputs[0]!)));
    this.#values = [...stream, ...sources];
    const normals = this.#norms.map(({ inputs: [x], attrs }) => {
      const ones = constant({ dtype: "f32", shape: [widthOf(x!)], values: [1] });
      return rmsNorm(x!, ones, { eps: attrs.eps as number });
    });
    const lengths = this.#norms.map((n) => sqrt(mean(mul(n.inputs[0]!, n.inputs[0]!))));
    this.wanted = [...this.#values, ...normals, ...lengths];
    this.#columns = [...this.#values, ...normals].map((n) => new Columns(widthOf(n)));
    this.#rms = lengths.map(() => ({ min: Number.POSITIVE_INFINITY, max: 0 }));
  }

  add(values: readonly ArrayLike<number>[]): void {
    for (const [i, columns] of this.#columns.entries()) columns.add(values[i]!);
    for (const [i, range] of this.#rms.entries())
      for (const rms of Array.from(values[this.#columns.length + i]!)) {
        range.min = Math.min(range.min, rms);
        range.max = Math.max(range.max, rms);
      }
  }

  /** Undefined where there is no such stream. */
  ranges(names: ReadonlyMap<Node, string>): ResidualRanges | undefined {
    if (this.#stream.size === 0) return undefined;
    const of = new Map(this.#values.map((n, i) => [n, this.#columns[i]!]));
    const divisors = divisorsFor([...this.#stream].map((n) => [...of.get(n)!.most]));
    return {
      divisors,
      reaches: Object.fromEntries(this.#values.map((n) => [names.get(n)!, of.get(n)!.over(divisors)])),
      norms: Object.fromEntries(
        this.#norms.map((n, i) => [
          names.get(n)!,
          {
            wide: of.get(n.inputs[0]!)!.over(divisors.map(() => 1)),
            rms: this.#rms[i]!,
            normal: this.#columns[this.#values.length + i]!.over(divisors),
          },
        ]),
      ),
    };
  }
}
