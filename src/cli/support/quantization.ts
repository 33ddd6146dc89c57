/** Quantisation from end to end: calibration, bits for each layer, what they cost, and the passes that follow. */
import { readFileSync } from "node:fs";
import type { QuantizedPrecision } from "../../codegen/precision.ts";
import type { BuiltModel, LoadedProgram } from "../../frontend/load.ts";
import { HeddleError } from "../../ir/error.ts";
import { topo } from "../../ir/graph.ts";
import { describe } from "../../ir/node.ts";
import type { Encoding } from "../../ir/ops/support/quant.ts";
import { nodeNames } from "../../ir/print.ts";
import type { Module } from "../../ir/program.ts";
import { f16Weights } from "../../passes/f16-weights.ts";
import { ownNames } from "../../passes/own-names.ts";
import type { Pass } from "../../passes/pass.ts";
import { isHead, linearsOf, type QuantizeOptions, quantizePass, type WeightBits } from "../../passes/quantize.ts";
import { quantizeCaches } from "../../passes/quantize-caches.ts";
import { encodingFor, type Range } from "../../passes/support/encoding.ts";
import { loadTarget } from "../../targets/target.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import type { WeightSource } from "../../weights/source.ts";
import { blockSizeOf } from "./block-size.ts";
import { cacheTypesOf, keptAs } from "./cache-types.ts";
import { balanceOf } from "./calibration/balance.ts";
import { cacheBalanceOf } from "./calibration/caches.ts";
import { calibrate, missingIn } from "./calibration/calibrate.ts";
import { type Calibration, checkCalibration, rangesBy } from "./calibration/calibration.ts";
import { rowsOf } from "./calibration/run.ts";
import { measureQuality, type QualityReport, spend, weightBytes } from "./calibration/sensitivity.ts";
import { type CalibrationTokens, calibrationTokens } from "./calibration/text.ts";
import { type HalfRange, halfPasses, halfRangeOf } from "./half-range.ts";
import type { QuantizeRequest } from "./quantize-request.ts";

export { isQuantized, type QuantizeRequest } from "./quantize-request.ts";

/** A value that f16 cannot hold. */
export interface Overflow {
  /** `add %h3.x (graphs/models/gpt2.ts:72)`. */
  readonly value: string;
  /** The largest magnitude seen. */
  readonly reaches: number;
}

export interface Quantization {
  readonly precision: QuantizedPrecision;
  readonly calibration: Calibration;
  readonly quality: QualityReport;
  /** Values beyond the range of f16, largest first. */
  readonly overflows: readonly Overflow[];
  /** Where the target computes in f16. */
  readonly halfRange?: HalfRange;
  /** Of every value that calibration saw, for targets that compute between products in fixed point too. */
  readonly encodings: ReadonlyMap<string, Encoding>;
  /** What norms of a balanced residual stream are computed with, by name. */
  readonly units: ReadonlyMap<string, number>;
  /** What is left to run. */
  readonly passes: readonly Pass[];
}

export interface QuantizationInput {
  readonly program: LoadedProgram;
  readonly built: BuiltModel;
  /** After split-linears. */
  readonly module: Module;
  readonly weights: WeightSource;
  readonly checkpoint: Checkpoint | undefined;
  readonly options: { readonly quantize?: QuantizeRequest; readonly target?: string };
  readonly precision: QuantizedPrecision;
  /** Whether what is not in fixed point is computed in f16. */
  readonly halves?: boolean;
  readonly onStep: (text: string) => void;
}

/** @throws HeddleError for a calibration that cannot be read or does not fit, or values that are not finite. */
export async function planQuantization(input: QuantizationInput): Promise<Quantization> {
  const { module, options, precision, weights, onStep } = input;
  const { head = "w8", method, budget = 0, kv } = options.quantize ?? {};
  const { graph } = module;
  const blockSize = blockSizeOf(options.quantize?.blockSize, { graph, ...options });
  const caches = cacheTypesOf(kv, { program: input.program.name, graph, ...options });
  const isArray = loadTarget(options.target ?? "reference").aie !== undefined;
  const text = textFor(input);
  const calibration = await calibrationFor(input, text);
  const body = precision.startsWith("w4") ? 4 : 8;
  const few = precision.endsWith("a8");
  // Of 8 bits none is to spare for outliers.
  const ranges = rangesBy(calibration, method ?? (few ? "percentile" : "minmax"), few ? 8 : 16);
  const headBits = ({ w8: 8, w4: 4, f16: "float" } as const)[head];
  // By name: passes before the quantisation build their nodes anew.
  const heads = new Set([...linearsOf(module.graph)].filter(([n]) => isHead(module.graph, n)).map(([, name]) => name));
  const bits = (_: QuantizedLinear, name: string): WeightBits => (heads.has(name) ? headBits : body);
  const measure = (quantize: QuantizeOptions, each: boolean) =>
    measureQuality(module.graph, quantize, weights, text.sequences, {
      each,
      progress: (share) => onStep(`measuring ${each ? "each layer" : "quality"}: ${Math.round(100 * share)}%`),
    });
  let quantize: QuantizeOptions = {
    ranges,
    bits,
    ...(calibration.importance && { importance: calibration.importance }),
    activations: few ? "i8" : "u16",
    // Eight bits are too few for what is added up afterwards, and a core of the array has floats at hand.
    results: few || isArray ? "float" : "fixed",
    ...(blockSize && { blockSize }),
  };
  let quality = await measure(quantize, budget > 0);
  if (budget > 0) {
    const nodes = new Map([...linearsOf(module.graph)].map(([n, name]) => [name, n]));
    const total = quality.layers.reduce((sum, l) => sum + l.bytes, 0);
    const bytes = (name: string, more: WeightBits) => weightBytes(nodes.get(name)!, more, blockSize);
    const raised = spend(quality.layers, bytes, (total * budget) / 100);
    quantize = { ...quantize, bits: (n, name) => raised.get(name) ?? bits(n, name) };
    const alone = new Map(quality.layers.map((l) => [l.name, l.divergence]));
    const final = await measure(quantize, false);
    const layers = final.layers.map((l) => {
      const harm = alone.get(l.name);
      return harm === undefined ? l : { ...l, divergence: harm };
    });
    quality = { ...final, layers };
  }
  const halfRange = input.halves ? halfRangeOf(module.graph, calibration) : undefined;
  // In fixed point the stream has an encoding of its own, so that it need not fit f16; only its channels must fit each other.
  const balance = input.options.target === "x-elite" ? balanceOf(calibration) : undefined;
  const cacheBalance = caches && cacheBalanceOf(graph, calibration.caches, ranges, caches);
  const scaling = balance ? balance.passes : halfRange ? halfPasses(halfRange) : [];
  const encode = (of: Readonly<Record<string, Range>>) =>
    Object.entries(of).map(([name, range]) => [name, encodingFor(range, "u16")] as const);
  return {
    precision,
    calibration,
    quality,
    overflows: halfRange ? [] : overflowsOf(module, calibration),
    ...(halfRange && { halfRange: balance ? { ...halfRange, balanced: balance.most } : halfRange }),
    // What has been scaled is not what calibration saw: it stays in f16.
    encodings: new Map([
      ...(scaling.length > 0 && !balance ? [] : encode(ranges)),
      ...(balance?.encodings ?? []),
      ...encode(cacheBalance?.values ?? {}),
    ]),
    units: balance?.units ?? new Map(),
    passes: [
      // There encodings are found by name.
      ...(input.options.target === "x-elite" ? [ownNames] : []),
      ...scaling,
      ...(cacheBalance?.passes ?? []),
      quantizePass({ ...quantize, ranges: { ...ranges, ...cacheBalance?.values } }),
      f16Weights,
      ...(caches ? [quantizeCaches(keptAs(module, caches, ranges, cacheBalance!.ranges))] : []),
    ],
  };
}

/** Of these tokens the range of f16 is checked; a program that is not quantised is not worth more. */
const checkedTokens = 512;

/** Whether f16 holds a program that is not quantised. @param input with a module after split-linears. */
export async function checkHalfRange(input: Omit<QuantizationInput, "precision" | "options">): Promise<HalfRange> {
  const text = textFor({ ...input, options: {} });
  const count = Math.max(1, Math.floor(checkedTokens / text.sequences[0]!.length));
  const few = { ...text, sequences: text.sequences.slice(0, count) };
  const { program, module, weights, onStep } = input;
  const calibration = await calibrate(program.name, module.graph, weights, few, (share) =>
    onStep(`checking the range of f16: ${Math.round(100 * share)}%`),
  );
  return halfRangeOf(module.graph, calibration);
}

type QuantizedLinear = Parameters<QuantizeOptions["bits"]>[0];

const textFor = ({ built, module, checkpoint, options }: Omit<QuantizationInput, "precision">): CalibrationTokens => {
  const file = options.quantize?.calibration;
  return calibrationTokens(file?.endsWith(".json") ? undefined : file, {
    tokenizer: checkpoint?.tokenizer,
    vocab: built.info.vocab,
    rows: rowsOf(module.graph),
  });
};

async function calibrationFor(
  { program, module, weights, options, onStep }: QuantizationInput,
  text: CalibrationTokens,
): Promise<Calibration> {
  const file = options.quantize?.calibration;
  if (file?.endsWith(".json")) {
    const given = checkCalibration(readCalibration(file), file, program.name);
    if (options.target === "x-elite") checkComplete(given, file, module);
    return given;
  }
  onStep("calibrating");
  return calibrate(program.name, module.graph, weights, text, (share) =>
    onStep(`calibrating on ${text.text}: ${Math.round(100 * share)}%`),
  );
}

/** Names that an error lists. */
const listed = 4;

/** @throws HeddleError where values have no range that the NPU would compute in fixed point: in f16 a run takes more than twice as long. */
function checkComplete(calibration: Calibration, file: string, { graph }: Module): void {
  const missing = missingIn(calibration, graph);
  if (missing.length === 0) return;
  const more = missing.length > listed ? ` and ${missing.length - listed} more` : "";
  throw new HeddleError(
    `has no ranges of %${missing.slice(0, listed).join(", %")}${more}, which x-elite computes in fixed point`,
    {
      subject: `--calibration ${file}`,
      hint: "it was written by an older version: compile once without --calibration, or with a text, and keep the calibration.json of that build",
    },
  );
}

function readCalibration(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (e) {
    const reason = (e as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (e as Error).message;
    throw new HeddleError(reason, { subject: `--calibration ${file}` });
  }
}

/** The largest number of f16. */
const largestHalf = 65504;

function overflowsOf({ graph }: Module, { values }: Calibration): Overflow[] {
  const names = nodeNames(graph);
  return topo(graph)
    .flatMap((n) => {
      const range = values[names.get(n)!]?.minmax;
      const reaches = range ? Math.max(-range.min, range.max) : 0;
      if (reaches <= largestHalf) return [];
      const where = n.loc ? ` (${n.loc.file}:${n.loc.line})` : "";
      return [{ value: `${describe({ op: n.op, name: names.get(n)! })}${where}`, reaches }];
    })
    .sort((a, b) => b.reaches - a.reaches);
}
