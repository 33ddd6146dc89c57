/**
 * The reference interpreter: what a graph means, in numbers. Slow is allowed, wrong is not: every other way of running a
 * graph is compared with it. Composites are evaluated through their expansion, values are dropped after their last use, and
 * sums are kept in f64.
 */
import { HeddleError, rethrow } from "../error.ts";
import { type Graph, topoFrom } from "../graph.ts";
import { nearest } from "../nearest.ts";
import { describe, type Node } from "../node.ts";
import { showType, type TensorType } from "../type.ts";
import { roundTo } from "./round.ts";
import { type Data, type Precision, type Tensor, zeros } from "./tensor.ts";
import { wrap } from "./wrap.ts";

export interface EvaluateOptions {
  /** Values of the inputs by name, row-major. */
  readonly inputs?: Readonly<Record<string, Data | readonly number[]>>;
  /** The value of a weight, row-major, in the layout of its type. Called once for every `param` node. */
  readonly params?: (name: string, type: TensorType) => Data | readonly number[];
  /** What floats are held in: f32 rounds every result as a device would, f64 shows what the graph means. Default f32. */
  readonly precision?: Precision;
  /** Values that are already known; their operands are not evaluated. */
  readonly known?: ReadonlyMap<Node, Tensor>;
  /** Sees every node's value, operands before users, as soon as it is there. Not the inside of composites. */
  readonly observe?: (node: Node, value: Tensor) => void;
}

export interface Evaluation {
  readonly outputs: readonly Tensor[];
  /** What each cache holds afterwards, in the order of the graph's state. */
  readonly state: readonly Tensor[];
}

/**
 * Runs a graph whose symbols are bound.
 * @throws HeddleError for an input that is missing, unknown or of another length, a weight that is, or an unbound symbol.
 */
export function evaluate(g: Graph, options: EvaluateOptions = {}): Evaluation {
  const names = g.inputs.map((i) => i.name ?? "");
  for (const name of Object.keys(options.inputs ?? {}))
    if (!names.includes(name)) {
      const near = nearest(name, names);
      throw new HeddleError(`there is no input ${name}; the inputs are ${names.join(", ") || "none"}`, {
        subject: `graph @${g.name}`,
        hint: near && `${near} instead of ${name}`,
      });
    }
  const values = evaluateNodes([...g.outputs, ...g.state.map((s) => s.next)], options);
  return { outputs: values.slice(0, g.outputs.length), state: values.slice(g.outputs.length) };
}

/** The values of the given nodes, and of nothing that they do not need. @throws HeddleError as `evaluate` does. */
export function evaluateNodes(nodes: readonly Node[], options: EvaluateOptions = {}): Tensor[] {
  const known = options.known ?? new Map<Node, Tensor>();
  const order = topoFrom(nodes, known.keys());
  const uses = new Map<Node, number>();
  const count = (n: Node, by: number): number => {
    const left = (uses.get(n) ?? 0) + by;
    uses.set(n, left);
    return left;
  };
  for (const n of order) for (const i of n.inputs) count(i, 1);
  for (const n of nodes) count(n, 1);

  const values = new Map<Node, Tensor>(known);
  for (const n of order) {
    const operands = n.inputs.map((i) => values.get(i)!);
    const value = evaluateNode(n, operands, options);
    options.observe?.(n, value);
    values.set(n, value);
    for (const i of n.inputs) if (count(i, -1) === 0) values.delete(i);
  }
  return nodes.map((n) => values.get(n)!);
}

function evaluateNode(n: Node, operands: readonly Tensor[], options: EvaluateOptions): Tensor {
  const { precision = "f32" } = options;
  const where = { subject: describe(n), loc: n.loc };
  try {
    if (n.op.name === "input") return given(n.name ?? "", n.type, options.inputs?.[n.name ?? ""], precision);
    if (n.op.name === "param")
      return given(String(n.attrs.name), n.type, options.params?.(String(n.attrs.name), n.type), precision);
    if (n.op.composite) {
      const inner = new Map(n.inputs.map((i, k) => [i, operands[k]!]));
      const { observe: _, ...rest } = options;
      return evaluateNodes([n.op.expand(n)], { ...rest, known: inner })[0]!;
    }
    const out = zeros(n.type, precision);
    n.op.evaluate(operands, n.attrs, out);
    roundTo(out.data, n.type.dtype);
    return out;
  } catch (e) {
    return rethrow(e, where);
  }
}

/** A value from outside as a tensor, without a copy where it is held as the interpreter wants it. */
function given(
  name: string,
  type: TensorType,
  value: Data | readonly number[] | undefined,
  precision: Precision,
): Tensor {
  if (value === undefined) throw new Error(`no value was given for ${name} (${showType(type)})`);
  return wrap(name, type, value, precision);
}
