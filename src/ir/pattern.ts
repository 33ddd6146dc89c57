/**
 * Patterns: the shape of a piece of graph with names for its parts, written with the same ops as graphs are
 * (`linear.pat(layerNorm.pat(v("x"), v("gamma"), v("beta")).as("norm"), v("w"), v("b"))`). What a pattern captures is
 * known to the compiler: a rule that asks for a capture that does not exist does not compile.
 */
import type { Attrs } from "./attr.ts";
import type { Node } from "./node.ts";
import type { AnyOp, Operands } from "./op.ts";

export type Captures = Record<string, Node>;

export interface Pat<C> {
  readonly op?: AnyOp;
  readonly operands?: readonly Pat<unknown>[];
  readonly capture?: string;
  /** Only for the compiler: what the pattern captures. */
  readonly _captures?: C;
  as<K extends string>(name: K): Pat<C & { readonly [P in K]: Node }>;
}

type CapturesOf<P> = P extends readonly [Pat<infer C>, ...infer R] ? C & CapturesOf<R> : unknown;

export interface OpPat<P, A extends Attrs> extends Pat<CapturesOf<P>> {
  as<K extends string>(name: K): Pat<CapturesOf<P> & { readonly [Q in K]: Node<A> }>;
}

/** One pattern per operand; optional operands may be left out, which means that they must be absent. */
export type PatArgs<N extends Operands> = N extends readonly [infer H, ...infer R extends Operands]
  ? H extends `...${string}`
    ? readonly Pat<any>[]
    : H extends `${string}?`
      ? readonly [] | readonly [Pat<any>, ...PatArgs<R>]
      : readonly [Pat<any>, ...PatArgs<R>]
  : readonly [];

const pattern = (p: { op?: AnyOp; operands?: readonly Pat<unknown>[]; capture?: string }): any => ({
  ...p,
  as: (capture: string) => pattern({ ...p, capture }),
});

/** Matches any value and captures it. The same name twice must be the same value. */
export const v = <K extends string>(name: K): Pat<{ readonly [P in K]: Node }> => pattern({ capture: name });

export const opPattern = (op: AnyOp, operands?: readonly Pat<unknown>[]): any =>
  pattern({ op, ...(operands && { operands }) });

/** Captures of a match of `p` at `n`, or undefined. */
export function match(p: Pat<unknown>, n: Node): Captures | undefined {
  const captures: Captures = {};
  const go = (q: Pat<unknown>, m: Node): boolean => {
    if (q.op && q.op !== m.op) return false;
    if (q.capture !== undefined) {
      const known = captures[q.capture];
      if (known && known !== m) return false;
      captures[q.capture] = m;
    }
    if (!q.operands) return true;
    return q.operands.length === m.inputs.length && q.operands.every((r, i) => go(r, m.inputs[i]!));
  };
  return go(p, n) ? captures : undefined;
}
