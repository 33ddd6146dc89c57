import type { Attrs } from "./attr.ts";
import type { Loc } from "./error.ts";
import type { AnyOp } from "./op.ts";
import type { TensorType } from "./type.ts";

/** One value of a graph and the op that yields it. Frozen: a pass never changes a node, it builds another. */
export interface Node<A extends Attrs = Attrs> {
  readonly op: AnyOp;
  readonly inputs: readonly Node[];
  readonly attrs: A;
  readonly type: TensorType;
  /** What the author called it (`h3.qkv`); undefined for a value nobody named. */
  readonly name?: string;
  readonly loc?: Loc;
}

/** How an error calls a node: `linear %h3.qkv`. */
export const describe = (n: Pick<Node, "op" | "name">): string => (n.name ? `${n.op.name} %${n.name}` : n.op.name);

/** The same node under another name or location. Whoever holds the old one keeps it. */
export function renamed<N extends Node>(n: N, to: { name?: string | undefined; loc?: Loc | undefined }): N {
  const name = to.name ?? n.name;
  const loc = to.loc ?? n.loc;
  if (name === n.name && loc === n.loc) return n;
  return Object.freeze({ ...n, ...(name !== undefined && { name }), ...(loc && { loc }) });
}
