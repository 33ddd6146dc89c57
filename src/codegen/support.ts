/** Support tables: what a target can do with each op. Exhaustive by type: a new op does not compile until every target decides. */

import type { AnyOp } from "../ir/op.ts";
import type * as ops from "../ir/ops/index.ts";

type ExportedOps = { [K in keyof typeof ops]: (typeof ops)[K] extends AnyOp ? K : never }[keyof typeof ops];
/** Every op of the IR by name. An input is built by `input()`, so its op is exported under another name. */
export type OpName = Exclude<ExportedOps, "inputOp"> | "input";

/** Why a target cannot run an op, and what the author can do about it. */
export interface Unsupported {
  readonly unsupported: string;
  readonly hint?: string;
}

/** What a target does with an op: lower it with an `L`, expand it into other ops, or refuse it. */
export type Support<L> = L | "expand" | Unsupported;
export type SupportTable<L> = Readonly<Record<OpName, Support<L>>>;

export const isUnsupported = (s: unknown): s is Unsupported =>
  typeof s === "object" && s !== null && "unsupported" in s;
