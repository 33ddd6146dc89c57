/**
 * `defineOp`: everything that is true of an op on every target, in one place. What is declared here is checked by the
 * compiler (arity, attributes) and at construction (types), and read by the printer, parser, verifier, interpreter,
 * cost model and documentation. No other file needs to know that an op exists, but for the backends' support tables.
 */
import type { AttrSpec, Attrs, AttrsIn, AttrsOf } from "./attr.ts";
import { isBlock, needWholeBlocks } from "./blocks.ts";
import { HeddleError, rethrow } from "./error.ts";
import type { Tensor } from "./evaluate/tensor.ts";
import type { Node } from "./node.ts";
import { describe } from "./node.ts";
import { originOf, withOrigin } from "./origin.ts";
import { type OpPat, opPattern, type PatArgs } from "./pattern.ts";
import { showType, type TensorType } from "./type.ts";

/** Operand names; a trailing `?` makes one optional (last places only), a single `...xs` takes a list. */
export type Operands = readonly string[];
type Strip<S> = S extends `${infer H}?` ? H : S extends `...${infer H}` ? H : S;
type IsRequired<S> = S extends `${string}?` ? false : true;

/** `T` for each operand by name: optional ones may be undefined, a `...list` is an array. */
export type Named<N extends Operands, T> = {
  readonly [S in N[number] as IsRequired<S> extends true ? Strip<S> : never]: S extends `...${string}`
    ? readonly T[]
    : T;
} & { readonly [S in N[number] as IsRequired<S> extends true ? never : Strip<S>]?: T | undefined };

type OperandArgs<N extends Operands> = N extends readonly [infer H, ...infer R extends Operands]
  ? H extends `...${string}`
    ? [list: readonly Node[]]
    : IsRequired<H> extends true
      ? [operand: Node, ...OperandArgs<R>]
      : [] | [operand: Node, ...OperandArgs<R>]
  : [];
type AttrArg<S extends AttrSpec> = keyof S extends never
  ? []
  : // biome-ignore lint/complexity/noBannedTypes: asks whether every key may be left out.
    {} extends AttrsIn<S>
    ? [attrs?: AttrsIn<S>]
    : [attrs: AttrsIn<S>];

export interface Cost {
  /** Arithmetic operations; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes read of each operand, for an op that does not read them whole. */
  readonly reads?: readonly number[];
  /** Bytes written, for an op that does not write its whole result. */
  readonly writes?: number;
}

export interface OpSpec<N extends Operands, S extends AttrSpec> {
  readonly name: string;
  /** One paragraph: what it computes, shapes, and the source of the method. */
  readonly doc: string;
  readonly inputs: N;
  readonly attrs?: S;
  /** The type of the result. @throws Error with a reason in words; the caller adds op, name and location. */
  infer(types: Named<N, TensorType>, attrs: AttrsOf<S>): TensorType;
  /** A composite: the same value written in other ops. */
  expand?(operands: Named<N, Node>, attrs: AttrsOf<S>, type: TensorType): Node;
  /** A primitive: computes the value. `out` is allocated with the inferred type and zeroed. */
  evaluate?(values: Named<N, Tensor>, attrs: AttrsOf<S>, out: Tensor): void;
  cost?(types: Named<N, TensorType>, attrs: AttrsOf<S>, out: TensorType): Cost;
  /** Whether it can yield a block type (blocks.ts), which takes moving whole rows only. */
  readonly keepsBlocks?: true;
}

export interface AnyOp {
  readonly name: string;
  readonly doc: string;
  readonly inputs: Operands;
  readonly attrs: AttrSpec;
  /** True where the op is written in other ops rather than computed. */
  readonly composite: boolean;
  /** Builds a node of this op from any operands, checking everything. Used by the parser, rewriter and binder. */
  build(inputs: readonly Node[], attrs: Attrs, origin?: { name?: string | undefined; loc?: Node["loc"] }): Node;
  /** One step of expansion of a composite. @throws HeddleError for a primitive. */
  expand(n: Node): Node;
  evaluate(values: readonly Tensor[], attrs: Attrs, out: Tensor): void;
  cost?(types: readonly TensorType[], attrs: Attrs, out: TensorType): Cost;
}

export interface Op<N extends Operands, S extends AttrSpec> extends AnyOp {
  (...args: [...OperandArgs<N>, ...AttrArg<S>]): Node<AttrsOf<S>>;
  /** A pattern that matches a node of this op whose operands match the given patterns; of an op that takes a list, none match any. */
  pat<P extends PatArgs<N>>(...operands: P): OpPat<P, AttrsOf<S>>;
}

const registry = new Map<string, AnyOp>();
/** All ops that were defined, by name. */
export const allOps = (): readonly AnyOp[] => [...registry.values()];
export const findOp = (name: string): AnyOp | undefined => registry.get(name);

const strip = (operand: string): string => operand.replace(/^\.\.\.|\?$/g, "");
const isNode = (x: unknown): x is Node => typeof x === "object" && x !== null && "op" in x && "inputs" in x;

// biome-ignore lint/complexity/noBannedTypes: the type of an object without keys is what "no attributes" means.
export function defineOp<const N extends Operands, const S extends AttrSpec = {}>(spec: OpSpec<N, S>): Op<N, S> {
  const attrSpec: AttrSpec = spec.attrs ?? {};
  const list = spec.inputs[0]?.startsWith("...") ?? false;
  const least = spec.inputs.filter((n) => !n.endsWith("?") && !n.startsWith("...")).length;

  const zip = (xs: readonly unknown[]): any =>
    list ? { [strip(spec.inputs[0]!)]: xs } : Object.fromEntries(xs.map((x, i) => [strip(spec.inputs[i]!), x]));

  function checkAttrs(given: Attrs): Attrs {
    const checked: Record<string, any> = {};
    for (const [key, kind] of Object.entries(attrSpec)) {
      const value: unknown = given[key] ?? kind.default;
      if (!kind.is(value)) throw new Error(`attribute ${key} must be ${kind.expects}, not ${JSON.stringify(value)}`);
      // A copy: the caller's list may change, a node may not.
      checked[key] = Array.isArray(value) ? Object.freeze([...value]) : value;
    }
    const unknown = Object.keys(given).find((k) => !Object.hasOwn(attrSpec, k));
    if (unknown) throw new Error(`has no attribute ${unknown}; it takes ${Object.keys(attrSpec).join(", ") || "none"}`);
    return Object.freeze(checked);
  }

  const build: AnyOp["build"] = (inputs, given, origin = originOf(spec.name)) => {
    const subject = describe({ op, ...(origin.name !== undefined && { name: origin.name }) });
    try {
      if (!list && (inputs.length < least || inputs.length > spec.inputs.length))
        throw new Error(`takes ${spec.inputs.join(", ")} but got ${inputs.length} operands`);
      const bad = inputs.findIndex((i) => !isNode(i));
      if (bad >= 0) throw new Error(`operand ${strip(spec.inputs[list ? 0 : bad]!)} is not a value of a graph`);
      const attrs = checkAttrs(given);
      const type = spec.infer(zip(inputs.map((i) => i.type)), attrs as any);
      if (isBlock(type.dtype) && !spec.keepsBlocks)
        throw new Error(
          `cannot yield ${showType(type)}, a type of stored weights: cast the weight to f32 or f16 first`,
        );
      needWholeBlocks(type);
      const { name, loc } = origin;
      return Object.freeze({
        op,
        inputs: Object.freeze([...inputs]),
        attrs,
        type,
        ...(name !== undefined && { name }),
        ...(loc && { loc }),
      });
    } catch (e) {
      return rethrow(e, { subject, loc: origin.loc });
    }
  };

  const construct = (...args: any[]): Node => {
    const last = args.at(-1);
    const attrs = args.length > 0 && !isNode(last) && !Array.isArray(last) && last !== undefined ? args.pop() : {};
    while (args.length > least && args.at(-1) === undefined) args.pop();
    return build(list ? args[0] : args, attrs ?? {});
  };

  const op: any = construct;
  Object.defineProperty(op, "name", { value: spec.name });
  op.doc = spec.doc;
  op.inputs = spec.inputs;
  op.attrs = attrSpec;
  op.composite = spec.expand !== undefined;
  op.build = build;
  op.pat = (...operands: any[]) => opPattern(op, list && !operands.length ? undefined : operands);
  op.expand = (n: Node): Node => {
    const where = { subject: describe(n), loc: n.loc };
    if (!spec.expand) throw new HeddleError("is a primitive: it has no expansion", where);
    try {
      return withOrigin({ name: n.name, loc: n.loc }, () => spec.expand!(zip(n.inputs), n.attrs as any, n.type));
    } catch (e) {
      return rethrow(e, where);
    }
  };
  op.evaluate = (values: readonly Tensor[], attrs: Attrs, out: Tensor): void => {
    if (!spec.evaluate) throw new HeddleError("cannot be evaluated on its own", { subject: spec.name });
    spec.evaluate(zip(values), attrs as any, out);
  };
  if (spec.cost) op.cost = (types: any, attrs: any, out: any) => spec.cost!(zip(types), attrs, out);
  if (registry.has(spec.name)) throw new HeddleError("is defined twice", { subject: `op ${spec.name}` });
  registry.set(spec.name, op);
  return op;
}
