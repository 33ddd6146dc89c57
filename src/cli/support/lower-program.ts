/** The half of the compiler that every target shares: a graph file in, a program after its passes out. */
import type { Precision } from "../../codegen/precision.ts";
import { type BuiltModel, type LoadedProgram, loadProgram } from "../../frontend/load.ts";
import { HeddleError } from "../../ir/error.ts";
import type { LayerRange, Module } from "../../ir/program.ts";
import { f16Weights } from "../../passes/f16-weights.ts";
import { keepBlocks } from "../../passes/keep-blocks.ts";
import type { Pass } from "../../passes/pass.ts";
import { type PassRecord, runPasses } from "../../passes/run.ts";
import { splitLinears } from "../../passes/split-linears.ts";
import { loadTarget } from "../../targets/target.ts";
import { type Checkpoint, openCheckpoint } from "../../weights/checkpoint.ts";
import { seededWeights } from "../../weights/seeded.ts";
import type { WeightSource } from "../../weights/source.ts";
import { checkContexts } from "./contexts.ts";
import { type HalfRange, halfPasses, isHalfSafe } from "./half-range.ts";
import {
  checkHalfRange,
  isQuantized,
  planQuantization,
  type Quantization,
  type QuantizeRequest,
} from "./quantization.ts";

export interface LowerOptions {
  /** A configuration of the model by name; default is that of the checkpoint, or else the model's first. */
  readonly config?: string;
  /** Only these layers of the model. */
  readonly layers?: LayerRange;
  /** Sizes of caches, ascending, of which each is an entry point; default those up to 2,048 that suit the model and the target. */
  readonly contexts?: readonly number[];
  /** A .safetensors or .gguf file or Hugging Face folder; without it weights are made up from `seed`. */
  readonly weights?: string;
  readonly seed?: number;
  /**
   * Of weights; w8a16, w4a16, w8a8 and w4a8 run products in integers, with activations of 16 or 8 bits. Default: native for weights
   * in blocks on the reference target; on an NPU f16 where its range holds the model, else w8a16; f32 for others.
   */
  readonly precision?: Precision;
  /** How the quantised precisions are reached. */
  readonly quantize?: QuantizeRequest;
  /** False to leave out what needs the values of weights: a quantised precision then stops before it is calibrated. */
  readonly calibrates?: boolean;
  readonly target?: string;
  /** Prove every pass numerically. */
  readonly check?: boolean;
  /** Called when all sizes are known and no weight has been read. What it throws ends the compilation. */
  readonly onShapes?: (module: Module, precision: Precision) => void;
  /** Called with what is being done now. */
  readonly onStep?: (text: string) => void;
}

/** A program after its passes, with its weights open and nothing generated yet. */
export interface Lowered {
  readonly program: LoadedProgram;
  readonly built: BuiltModel;
  readonly module: Module;
  readonly passes: readonly PassRecord[];
  /** The graph before the first pass and after each. */
  readonly dumps: readonly { readonly title: string; readonly text: string }[];
  readonly weights: WeightSource;
  readonly checkpoint: Checkpoint | undefined;
  readonly precision: Precision;
  readonly times: { readonly load: number; readonly passes: number };
  /** For the quantised precisions: what was calibrated and decided. */
  readonly quantization?: Quantization;
  /** For targets that compute in f16: whether it holds the values, and what is done where it does not. */
  readonly halfRange?: HalfRange;
  /** Why this precision, where the target's default was taken and there was something to choose. */
  readonly reason?: string;
}

/**
 * The half of the compiler that every target shares: graph file, weights, passes. The weights are closed after `then`.
 * @throws HeddleError for whatever is wrong with graph file, weights or target.
 */
export async function lowerProgram<T>(
  file: string,
  options: LowerOptions,
  then: (lowered: Lowered) => Promise<T>,
): Promise<T> {
  const { check = false, onStep = () => {} } = options;
  const began = performance.now();
  const target = loadTarget(options.target ?? "reference");
  onStep(`reading ${file}`);
  const program = await loadProgram(file);
  const checkpoint = options.weights === undefined ? undefined : openCheckpoint(options.weights);
  const weights = checkpoint?.weights ?? seededWeights(options.seed);
  try {
    const config = options.config ?? (checkpoint?.config && { checkpoint: checkpoint.config });
    const built = program.build(config, options.layers, options.contexts?.at(-1));
    if (options.contexts) checkContexts(options.contexts, program, built.info);
    const loaded = performance.now();

    const precision = precisionOf(options, weights);
    const contexts = options.contexts && { contexts: options.contexts };
    const run = (from: Module, passes: readonly Pass[]) => {
      const doing = (i: number) => passes[i] && onStep(`pass ${passes[i].name}${check ? ", and its proof" : ""}`);
      doing(0);
      let done = 0;
      return runPasses(from, passes, { target, ...contexts, check, dump: true, onPass: () => doing(++done) });
    };
    const narrow = precision === "f16" && !program.passes.includes(f16Weights);
    // Of made-up weights the range says nothing.
    const halves = isNpu(options.target) && checkpoint !== undefined && options.calibrates !== false;
    const checks = narrow && halves;
    const first = run(built.module, [
      ...(precision === "native" ? [keepBlocks((name) => weights.blocks?.typeOf(name))] : []),
      ...program.passes,
      ...(isQuantized(precision) ? [splitLinears] : narrow && !checks ? [f16Weights] : []),
    ]);
    options.onShapes?.(first.module, precision);
    const quantization =
      isQuantized(precision) && options.calibrates !== false
        ? await planQuantization({
            program,
            built,
            module: first.module,
            weights,
            checkpoint,
            options,
            precision,
            halves,
            onStep,
          })
        : undefined;
    const checked = checks
      ? await checkHalfRange({
          program,
          built,
          module: runPasses(first.module, [splitLinears], { target }).module,
          weights,
          checkpoint,
          onStep,
        })
      : undefined;
    const byDefault = options.precision === undefined && isNpu(options.target);
    if (byDefault && checked && !isHalfSafe(checked))
      return await lowerProgram(file, { ...options, precision: "w8a16" }, (lowered) =>
        then({ ...lowered, reason: "w8a16 by default: values beside the residual stream are beyond the range of f16" }),
      );
    const reason = byDefault ? reasonFor(checked) : undefined;
    const halfRange = checked ?? quantization?.halfRange;
    const more = quantization?.passes ?? (checked ? [...halfPasses(checked), f16Weights] : []);
    const second = more.length > 0 ? run(first.module, more) : { module: first.module, records: [] };
    const records = [...first.records, ...second.records];
    const dumps = [{ title: "model", text: first.text! }, ...records.map((r) => ({ title: r.name, text: r.text! }))];
    const times = { load: loaded - began, passes: performance.now() - loaded };
    return await then({
      program,
      built,
      module: second.module,
      passes: records,
      dumps,
      weights,
      checkpoint,
      precision,
      times,
      ...(quantization && { quantization }),
      ...(halfRange && { halfRange }),
      ...(reason && { reason }),
    });
  } finally {
    weights.close();
  }
}

/** Why f16 is what an NPU gets. */
function reasonFor(checked: HalfRange | undefined): string {
  if (!checked)
    return "f16 by default: the NPU has no f32, and without values from a checkpoint its range was not checked";
  if (checked.divisor === 1) return "f16 by default: its range holds every value";
  return `f16 by default: its range holds every value once the residual stream is divided by ${checked.divisor}`;
}

/** Whether a target is compiled for by a vendor's compiler, for an NPU without f32. */
export const isNpu = (target = "reference"): boolean => loadTarget(target).facts?.socModel !== undefined;

/** @throws HeddleError where blocks are asked for and there are none. */
function precisionOf({ precision, target = "reference" }: LowerOptions, weights: WeightSource): Precision {
  if (precision === "native" && !weights.blocks)
    throw new HeddleError("has no weights in blocks to keep", {
      subject: weights.name,
      hint: "--precision f32 or f16, or a .gguf file as --weights",
    });
  return precision ?? (weights.blocks && target === "reference" ? "native" : isNpu(target) ? "f16" : "f32");
}
