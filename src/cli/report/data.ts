/** What a report shows: the compile as data, independent of the modules that produced it. */
import type { ManifestCost } from "../../codegen/manifest.ts";

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

export interface ReportEntry {
  readonly name: string;
  readonly tokens: number;
  readonly context: number;
  readonly cost: ManifestCost;
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
  readonly artifacts: readonly { readonly file: string; readonly bytes: number }[];
}
