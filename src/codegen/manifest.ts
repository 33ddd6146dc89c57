/** `manifest.json`: what a build folder holds and how to run it. The only thing that the compiler tells the runtime. */
import { HeddleError } from "../ir/error.ts";
import type { EntryRole, ModelInfo } from "../ir/program.ts";
import { schemaCheck } from "../ir/schema.ts";
import type { DType } from "../ir/type.ts";
import schema from "./manifest.schema.json" with { type: "json" };
import type { Precision } from "./precision.ts";

export interface ManifestPort {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}
/** (q + offset) * scale. */
export interface PortEncoding {
  readonly scale: number;
  readonly offset: number;
}
export interface ManifestInput extends ManifestPort {
  /** `last` is the row of the last token that is not padding; `hidden` stands for the tokens where earlier layers are elsewhere. */
  readonly role: "tokens" | "hidden" | "position" | "last" | "cache";
  /** What integers of `hidden` stand for: that of the output which they are taken from. */
  readonly encoding?: PortEncoding;
}
export interface ManifestOutput extends ManifestPort {
  /** `slice` is what a caller writes into a cache of mode `host`; `hidden` is what the next part of the model goes on from. */
  readonly role: "logits" | "hidden" | "slice";
  /** What integers stand for. Logits may come in several outputs, one after the other. */
  readonly encoding?: PortEncoding;
}

/** A cache that lives from run to run. */
export interface ManifestState {
  readonly cache: string;
  /** The axis along which positions grow. */
  readonly axis: number;
  /** In place: the graph writes the cache. Host: the caller writes output `slice` at the position. */
  readonly mode: "in-place" | "host";
  readonly slice?: string;
  /**
   * Attention sees this many tokens of it, absent where all. A cache with room for `window + tokens - 1` of them is a ring: position p
   * lies at place p modulo its size.
   */
  readonly window?: number;
}

/** What one run costs. */
export interface ManifestCost {
  /** Arithmetic operations; a multiply-add counts as two. */
  readonly flops: number;
  /** Bytes of weights that a run reads; of an embedding table only the rows asked for. */
  readonly weightBytes: number;
  /** Bytes that the nodes read and write besides weights and caches. */
  readonly activationBytes: number;
  /** Bytes of caches, read and written; a read is counted over all places, filled or not. */
  readonly cacheBytes: number;
}

/** What Qualcomm's compiler and simulator say of one run on the NPU. */
export interface ManifestNpu {
  /** Milliseconds of finalization, when it was compiled. */
  readonly finalizeMs: { readonly value: number; readonly source: "measured" };
  /** Bytes between NPU and DDR. `spilled` (part of `written`) and `filled` (of `read`) are intermediates that did not fit VTCM. */
  readonly ddr?: {
    readonly read: number;
    readonly written: number;
    readonly spilled: number;
    readonly filled: number;
    readonly source: "vendor-simulated";
  };
  /** One run on the costed SoC of the same architecture. */
  readonly simulated?: {
    readonly soc: number;
    readonly us: number;
    readonly usLower: number;
    readonly usUpper: number;
    readonly cycles: number;
    /** Bytes of weights and caches that a run must read at least. */
    readonly boundBytes: number;
    /** Time of the bound over the simulated time: 1 is a run that does nothing but read at the simulated DDR rate. */
    readonly shareOfBound: number;
    /** Ops that the simulator has no cost for. */
    readonly uncosted: readonly string[];
    readonly source: "vendor-simulated";
  };
}

/** The context binary: all entry points, compiled for one SoC. */
export interface ManifestContext {
  /** Path relative to the folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** SoC model in the vendor's numbers. */
  readonly soc: number;
  readonly optimization: number;
  /** Megabytes. */
  readonly vtcm: number;
  readonly weightSharing: boolean;
  /** The library that compiled it, in its own words. */
  readonly library: {
    readonly provider: string;
    readonly coreVersion: string;
    readonly backendVersion: string;
    readonly buildId: string;
  };
}

export interface ManifestEntry {
  readonly name: string;
  readonly role: EntryRole;
  /** Path of the QNN graph, relative to the folder. */
  readonly graph: string;
  /** Rows of one run. */
  readonly tokens: number;
  /** Positions that fit the caches; the rows of a run for a graph without. */
  readonly context: number;
  readonly inputs: readonly ManifestInput[];
  readonly outputs: readonly ManifestOutput[];
  readonly state: readonly ManifestState[];
  readonly cost: ManifestCost;
  /** Whether the NPU computes in fixed point from the embedding to the logits. */
  readonly fixedPoint?: boolean;
  readonly npu?: ManifestNpu;
}

export interface Manifest {
  readonly format: "heddle.build/1";
  readonly program: string;
  readonly target: string;
  readonly precision: Precision;
  /** Inputs that share a scale in weights of 4 bits, where not all of a row do. */
  readonly blockSize?: number;
  readonly model: ModelInfo & { readonly eos?: readonly number[] };
  readonly weights: {
    /** `seeded:0` or the checkpoint's file name. */
    readonly source: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly file: string;
    /** Identifies what was written: equal keys mean equal files. */
    readonly key: string;
  };
  readonly tokenizer: string | null;
  /** How to converse with the model; absent where it was not trained for that. */
  readonly chat?: {
    /** The file of the Jinja template that turns a conversation into a prompt. */
    readonly template: string;
    /** What the template calls bos_token and eos_token. */
    readonly bos?: string;
    readonly eos?: string;
  };
  /** How the model's authors sample from it; absent where they do not say. */
  readonly sampling?: {
    readonly temperature: number;
    readonly topK?: number;
    readonly topP?: number;
    readonly repetitionPenalty?: number;
  };
  readonly entries: readonly ManifestEntry[];
  /** Names of the passes that ran, in order. */
  readonly passes: readonly string[];
  /** Missing where the build is JSON alone. */
  readonly context?: ManifestContext;
}

/** For the schemas that refer to it. */
export const manifestSchema = schema;

const mistakesIn = schemaCheck(schema);

/** Formats of manifest.json: of a build, and of a program in parts, each of which is a build. */
export const formats = { build: "heddle.build/1", parts: "heddle.parts/1" } as const;

/** @throws HeddleError for a manifest that another version of Heddle wrote. */
function refuseOtherFormat(content: unknown, subject: string): void {
  const format = (content as { format?: unknown } | null)?.format;
  const known: readonly string[] = Object.values(formats);
  if (typeof format !== "string" || known.includes(format)) return;
  throw new HeddleError(`is of format ${JSON.stringify(format)}; this version of Heddle reads ${known.join(" and ")}`, {
    subject,
    hint: "compile the program again",
  });
}

/** @throws HeddleError naming the field that is missing, unknown or of the wrong kind. */
export function checkManifest(content: unknown, subject = "manifest.json"): asserts content is Manifest {
  const [mistake] = mistakesIn(content);
  if (!mistake) return;
  refuseOtherFormat(content, subject);
  const field = mistake.unknown === undefined ? "" : `: ${mistake.unknown}`;
  throw new HeddleError(`${mistake.says}${field}`, { subject, hint: "compile the program again" });
}
