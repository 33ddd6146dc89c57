/** Weight expressions of which some rows can be computed without the others: a table of tokens need not be in memory as a whole. */
import { evaluateNodes } from "../ir/evaluate/evaluate.ts";
import { type Tensor, zeros } from "../ir/evaluate/tensor.ts";
import type { Node } from "../ir/node.ts";
import type { AnyOp } from "../ir/op.ts";
import { blockScales, cast, constant, param, quantize, quantizeWeight, slice, weightScales } from "../ir/ops/index.ts";
import { staticShape } from "../ir/type.ts";
import type { WeightSource } from "../weights/source.ts";

/** Of each of these ops the operands whose rows are those of the result. */
const rowwise = new Map<AnyOp, (index: number) => boolean>([
  [quantize, () => true],
  [cast, () => true],
  [quantizeWeight, () => true],
  // The last operand says how much columns matter, and is the same for all rows.
  [weightScales, (i) => i === 0],
  [blockScales, (i) => i <= 1],
]);

/** Values of nodes that are known already. */
export interface KnownValues {
  get(n: Node): Tensor | undefined;
}

/** The tensor of the checkpoint that rows of `n` come from; undefined where they cannot be had alone. */
export function tableBelow(n: Node): Node | undefined {
  if (n.op === param) return n.type.shape.length === 2 ? n : undefined;
  if (n.op === slice) return n.attrs.axis === 0 ? tableBelow(n.inputs[0]!) : undefined;
  const takesRows = rowwise.get(n.op);
  if (!takesRows || n.inputs.some((operand, i) => !takesRows(i) && operand.op !== constant)) return undefined;
  const tables = new Set(n.inputs.filter((_, i) => takesRows(i)).map(tableBelow));
  return tables.size === 1 ? [...tables][0] : undefined;
}

/** Rows `start .. start + count` of an expression with a table below it. */
export function rowsOf(root: Node, start: number, count: number, source: WeightSource, found: KnownValues): Tensor {
  const known = new Map<Node, Tensor>();
  const made = new Map<Node, Map<number, Node>>();
  /** Stands for some rows of `n`, whose values are at hand. */
  const leaf = (n: Node, from: number, data: () => Tensor["data"]): Node => {
    const done = made.get(n)?.get(from);
    if (done) return done;
    const [, ...rest] = staticShape(n.type.shape);
    const attrs = { name: "rows", dtype: n.type.dtype, shape: [count, ...rest] };
    const node = param.build([], attrs, { name: n.name, loc: n.loc });
    made.set(n, (made.get(n) ?? new Map()).set(from, node));
    known.set(node, { type: node.type, shape: attrs.shape, data: data() });
    return node;
  };
  const take = (n: Node, from: number): Node => {
    const value = found.get(n);
    if (value) {
      const width = value.data.length / value.shape[0]!;
      return leaf(n, from, () => value.data.subarray(from * width, (from + count) * width));
    }
    if (n.op === param) {
      const weight = { name: n.attrs.name as string, shape: staticShape(n.type.shape) };
      return leaf(n, from, () => source.readRows!(weight, from, count));
    }
    if (n.op === slice) return take(n.inputs[0]!, from + (n.attrs.start as number));
    const takesRows = rowwise.get(n.op)!;
    const operands = n.inputs.map((operand, i) => (takesRows(i) ? take(operand, from) : operand));
    return n.op.build(operands, n.attrs, { name: n.name, loc: n.loc });
  };
  return evaluateNodes([take(root, start)], { known })[0]!;
}

/** The whole value of an expression with a table below it, of few columns, from pieces of its rows. */
export function allRows(n: Node, step: number, source: WeightSource, found: KnownValues): Tensor {
  const whole = zeros(n.type);
  const rows = whole.shape[0]!;
  const width = whole.data.length / rows;
  for (let at = 0; at < rows; at += step)
    whole.data.set(rowsOf(n, at, Math.min(step, rows - at), source, found).data, at * width);
  return whole;
}
