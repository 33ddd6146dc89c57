/** What a report shows: the compile as data, independent of the modules that produced it. */
import type { ManifestCost, ManifestNpu } from "../../codegen/manifest.ts";

export interface ReportPass {
  readonly name: string;
  readonly doc: string;
  readonly hits: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly ms: number;
  /** Places that looked right and were left alone, with the reason. */
  readonly misses: readonly string[];
  /** Result of the numeric proof, where one was asked for. */
  readonly proof?: string;
}

/** All nodes of one op. */
export interface ReportOp {
  readonly name: string;
  readonly nodes: number;
  readonly cost: ManifestCost;
}

export interface ReportNode {
  /** `linear %h3.qkv`. */
  readonly name: string;
  /** `graphs/models/gpt2.ts:41`. */
  readonly where?: string;
  readonly type: string;
  readonly cost: ManifestCost;
}

export interface ReportEntry {
  readonly name: string;
  readonly tokens: number;
  readonly context: number;
  readonly cost: ManifestCost;
  /** Most bytes first. */
  readonly ops: readonly ReportOp[];
  /** All that cost anything, the ones that move the most bytes first. */
  readonly nodes: readonly ReportNode[];
  /** What a compiler for an NPU said. */
  readonly npu?: ManifestNpu;
}

export interface ReportData {
  readonly program: string;
  readonly model: string;
  readonly target: string;
  readonly precision: string;
  readonly weights: string;
  readonly passes: readonly ReportPass[];
  /** The graph as text before the first pass and after each. */
  readonly dumps: readonly { readonly title: string; readonly text: string }[];
  readonly entries: readonly ReportEntry[];
  /** Of a program in parts, whose parts `entries` has: what all parts of an entry point take on an NPU together. */
  readonly whole?: readonly Pick<ReportEntry, "name" | "npu">[];
  readonly artifacts: readonly { readonly file: string; readonly bytes: number }[];
}
