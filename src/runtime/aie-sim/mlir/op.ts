/** What the text becomes: ops in MLIR's generic form, whatever their own syntax. */
import { HeddleError, type Loc } from "../../../ir/error.ts";
import type { Attr, Attrs } from "./attribute.ts";
import type { Type } from "./type.ts";

export interface Value {
  /** With its percent sign. */
  readonly name: string;
  readonly type: Type;
  readonly loc: Loc;
  /** The op that yields it; undefined for an argument of a block. */
  readonly definition: Op | undefined;
}

export interface Block {
  /** With its caret; the first block of a region may have none. */
  readonly label: string | undefined;
  readonly args: readonly Value[];
  readonly ops: readonly Op[];
}

export type Region = readonly Block[];

export interface Op {
  readonly name: string;
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  readonly attrs: Attrs;
  readonly regions: readonly Region[];
  /** Labels of blocks of the same region. */
  readonly successors: readonly string[];
  readonly loc: Loc;
}

/** All ops of a region and of the regions in it, an op before its insides. */
export function* walk(region: Region): Generator<Op> {
  for (const block of region)
    for (const op of block.ops) {
      yield op;
      for (const inner of op.regions) yield* walk(inner);
    }
}

const wrong = (op: Op, name: string, wanted: string): never => {
  throw new HeddleError(`has no ${wanted} attribute ${name}`, { subject: op.name, loc: op.loc });
};

const present = <K extends Attr["kind"]>(op: Op, name: string, kind: K): Extract<Attr, { kind: K }> | undefined => {
  const a = op.attrs[name];
  return a?.kind === kind ? (a as Extract<Attr, { kind: K }>) : undefined;
};

/** An integer attribute. @throws HeddleError naming the op where it is missing and no default is given. */
export const intAttr = (op: Op, name: string, otherwise?: number): number =>
  present(op, name, "int")?.value ?? otherwise ?? wrong(op, name, "integer");
export const symbolAttr = (op: Op, name: string): string =>
  present(op, name, "symbol")?.name ?? wrong(op, name, "symbol");
export const stringAttr = (op: Op, name: string): string | undefined => present(op, name, "string")?.value;
export const flagAttr = (op: Op, name: string): boolean =>
  op.attrs[name]?.kind === "unit" || (present(op, name, "bool")?.value ?? false);
export const intsAttr = (op: Op, name: string): readonly number[] =>
  present(op, name, "ints")?.values ?? wrong(op, name, "list");
export const textAttr = (op: Op, name: string): string => present(op, name, "dialect")?.text ?? wrong(op, name, "kind");
export const mapAttr = (op: Op, name: string): Extract<Attr, { kind: "map" }> =>
  present(op, name, "map") ?? wrong(op, name, "map");
export const arrayAttr = (op: Op, name: string): readonly Attr[] =>
  present(op, name, "array")?.items ?? wrong(op, name, "array");

/** The one block of an op's first region. */
export const bodyOf = (op: Op): Block => op.regions[0]![0]!;
