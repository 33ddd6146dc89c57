/** How an op of the IR becomes nodes of QNN. Most map to one node: a type, and parameters from the attributes. */
import type { AttrSpec, AttrsOf } from "../../ir/attr.ts";
import type { Node } from "../../ir/node.ts";
import type { Op, Operands } from "../../ir/op.ts";
import type { Builder } from "./builder.ts";
import type { Param } from "./params.ts";
import type { QnnPackage } from "./types.ts";

export interface QnnLowering {
  lower(n: Node, b: Builder): void;
}

type ParamsOf<S extends AttrSpec> = (attrs: AttrsOf<S>, n: Node) => readonly Param[];

/** One node of package `qti.aisw`, operands in the order of the op. */
export const qti = <N extends Operands, S extends AttrSpec>(_op: Op<N, S>, type: string, params?: ParamsOf<S>) =>
  one("qti.aisw", type, params);

/** One node of package `heddle`, which only the reference backend has. */
export const heddle = <N extends Operands, S extends AttrSpec>(_op: Op<N, S>, type: string, params?: ParamsOf<S>) =>
  one("heddle", type, params);

const one = <S extends AttrSpec>(pack: QnnPackage, type: string, params?: ParamsOf<S>): QnnLowering => ({
  lower: (n, b) => b.node(n, type, params?.(n.attrs as AttrsOf<S>, n), pack),
});

/** Anything that is not one node with the operands as they are. */
export const custom = <N extends Operands, S extends AttrSpec>(
  _op: Op<N, S>,
  lower: (n: Node<AttrsOf<S>>, b: Builder) => void,
): QnnLowering => ({ lower: (n, b) => lower(n as Node<AttrsOf<S>>, b) });

/** Inputs and weights are declared as tensors; no node computes them. */
export const leaf: QnnLowering = { lower: () => {} };
