/** Factors of channels that the weights of a linear hold: no op, and where each row of weights has a scale of its own, no rounding either. */
import { type Graph, rebuild, usersOf } from "../../ir/graph.ts";
import type { Node } from "../../ir/node.ts";
import { constant, linear, mul, slice, splitHeads, transpose } from "../../ir/ops/index.ts";
import { inPlaceOf } from "./naming.ts";
import { isStatic } from "./static.ts";

/** A linear of whose weights rows can hold a factor for each channel of a value. */
export interface Holder {
  readonly linear: Node;
  /** The row of the first channel. */
  readonly start: number;
  /** What lies after the linear up to that value, the value itself too: all of it is multiplied. */
  readonly between: readonly Node[];
}

/** Finds the holders of a graph. */
export class Holders {
  readonly #users: ReadonlyMap<Node, readonly Node[]>;
  readonly #yielded: ReadonlySet<Node>;

  constructor(g: Graph) {
    this.#users = usersOf(g);
    this.#yielded = new Set([...g.outputs, ...g.state.map((s) => s.next)]);
  }

  /** @param x heads [heads, rows, dim] or [heads, dim, rows]; held where nothing but moves that nobody else reads lies after the linear. */
  of(x: Node): Holder | undefined {
    const between: Node[] = [];
    let at = x;
    while (at.op === splitHeads || (at.op === transpose && keepsHeads(at))) {
      between.push(at);
      at = at.inputs[0]!;
    }
    const isPart = at.op === slice && isOfColumns(at);
    if (isPart) between.push(at);
    const product = isPart ? at.inputs[0]! : at;
    const others = (this.#users.get(product) ?? []).filter((n) => n !== between.at(-1));
    const isAlone =
      between.every((n) => this.#isReadOnce(n)) &&
      !this.#yielded.has(product) &&
      others.every((n) => isPart && n.op === slice && isOfColumns(n) && areApart(n, at));
    if (!isAlone || !isHolder(product)) return undefined;
    return { linear: product, start: isPart ? (at.attrs.start as number) : 0, between };
  }

  #isReadOnce(n: Node): boolean {
    return this.#users.get(n)?.length === 1 && !this.#yielded.has(n);
  }
}

/** Weights in fewer bits would round the products. */
const isHolder = (n: Node): boolean =>
  n.op === linear && n.inputs.slice(1).every((w) => isStatic(w) && w.type.dtype === "f32");

const keepsHeads = (n: Node): boolean => String(n.attrs.perm) === "0,2,1";

const isOfColumns = (n: Node): boolean => [-1, n.type.shape.length - 1].includes(n.attrs.axis as number);

const areApart = (a: Node, b: Node): boolean => {
  const [startA, startB] = [a.attrs.start as number, b.attrs.start as number];
  const [sizeA, sizeB] = [a, b].map((n) => n.type.shape.at(-1) as number) as [number, number];
  return startA + sizeA <= startB || startB + sizeB <= startA;
};

/** Factors of the rows of linears, 1 where nothing is held. */
export class HeldFactors {
  readonly #of = new Map<Node, number[]>();

  hold({ linear: n, start }: Holder, factors: readonly number[]): void {
    const rows = this.#of.get(n) ?? Array<number>(n.type.shape.at(-1) as number).fill(1);
    for (const [i, factor] of factors.entries()) rows[start + i]! *= factor;
    this.#of.set(n, rows);
  }

  /** @param n what was made of `original` @returns the linear with factors in its weights; `n` where it holds none. */
  into(n: Node, original: Node): Node {
    const values = this.#of.get(original);
    if (!values) return n;
    const [x, w, b] = n.inputs as [Node, Node, Node?];
    return inPlaceOf(n, `${n.name}.held`, () => {
      const times = (weights: Node, ...shape: number[]) => mul(weights, constant({ dtype: "f32", shape, values }));
      return rebuild(n, [x, times(w, values.length, 1), ...(b ? [times(b, values.length)] : [])]);
    });
  }
}
