/** How much each input of a product matters: an error of a weight reaches the result times what the weight is multiplied by. */
import type { Graph } from "../../../ir/graph.ts";
import type { Node } from "../../../ir/node.ts";
import { linearsOf } from "../../../passes/quantize.ts";

/** Of the mean of a row this is added to every channel: one that the text left at zero may be used by another text. */
const least = 0.01;

/**
 * Mean squares of what products read, over all rows and each as a share of its row, as in Frantar et al., 2022, "GPTQ", of whose second
 * moments this is the diagonal. Shares, because the first token of a text has values hundreds of times those of all others.
 */
export class ImportanceWatch {
  /** Values to hand to `add`, in this order. */
  readonly wanted: readonly Node[];
  readonly #squares: readonly Float64Array[];

  constructor(g: Graph) {
    this.wanted = [...new Set([...linearsOf(g).keys()].map((n) => n.inputs[0]!))];
    this.#squares = this.wanted.map((n) => new Float64Array(n.type.shape.at(-1) as number));
  }

  add(values: readonly ArrayLike<number>[]): void {
    for (const [k, squares] of this.#squares.entries()) {
      const [x, width] = [values[k]!, squares.length];
      for (let at = 0; at < x.length; at += width) {
        let sum = 0;
        for (let c = 0; c < width; c++) sum += x[at + c]! ** 2;
        if (sum > 0) for (let c = 0; c < width; c++) squares[c]! += x[at + c]! ** 2 / sum;
      }
    }
  }

  /** For each value by its name a number per channel, of mean 1 but for what is added. */
  of(names: ReadonlyMap<Node, string>): Record<string, readonly number[]> {
    return Object.fromEntries(
      this.wanted.map((n, k) => {
        const squares = this.#squares[k]!;
        const mean = squares.reduce((sum, s) => sum + s, 0) / squares.length;
        // Three digits are enough, and as many as the file has: a compile from the file is to be the same.
        const share = (s: number) => Number((least + (mean > 0 ? s / mean : 1)).toPrecision(3));
        return [names.get(n)!, Array.from(squares, share)];
      }),
    );
  }
}
