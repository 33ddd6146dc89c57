/** The compiler from end to end: a graph file in, a build folder out. What `npm run compile` does, as a function. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backendFor, paramsOf } from "../../codegen/compile.ts";
import type { Manifest } from "../../codegen/manifest.ts";
import type { Precision } from "../../codegen/precision.ts";
import { qnnVendorFixed } from "../../codegen/qnn/index.ts";
import { type BuiltModel, type LoadedProgram, loadProgram } from "../../frontend/load.ts";
import { findCompiler, finishBuild, hasContext } from "../../htp/index.ts";
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
import { partsFor, type Written, writeBuild } from "./write-build.ts";

export interface CompileOptions {
  /** A configuration of the model by name; default is that of the checkpoint, or else the model's first. */
  readonly config?: string;
  /** Only these layers of the model. */
  readonly layers?: LayerRange;
  /** Sizes of caches, ascending, of which each is an entry point; default those up to 2,048 that suit the model and the target. */
  readonly contexts?: readonly number[];
  /**
   * Parts that the program is cut into, each with graphs and weights of its own, which run one after the other. Default one, or as
   * many as it takes for each to fit a context of the target's NPU.
   */
  readonly parts?: number;
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
  /** Default `build/<program>`. */
  readonly out?: string;
  /** Prove every pass numerically. */
  readonly check?: boolean;
  /** For a target with an NPU compiler: whether to run it. Default true; false writes the graphs as JSON and stops there. */
  readonly context?: boolean;
  /** Whether to find simulated times, which takes a second compilation. Default true. */
  readonly simulate?: boolean;
  /** Whether what the NPU's compiler made before may be used and is kept. Default true. */
  readonly cache?: boolean;
  /** Called with what is being done now. */
  readonly onStep?: (text: string) => void;
}

export interface Compiled extends Written {
  readonly out: string;
  /** The model and its configuration: `gpt2 (tiny)`. */
  readonly model: string;
  readonly passes: readonly PassRecord[];
  /** The graph before the first pass and after each, as written to `ir/`. */
  readonly dumps: readonly { readonly title: string; readonly text: string }[];
  /** Milliseconds: graph file, passes with verification and proof, code generation, weights, the vendor's compiler. */
  readonly times: Readonly<Record<"load" | "passes" | "codegen" | "weights" | "finish", number>>;
  /** Whether the context binary and its costs were all known from before; undefined where there is none. */
  readonly contextCached?: boolean;
  readonly quantization?: Quantization;
  readonly halfRange?: HalfRange;
  readonly reason?: string;
}

/** A program after its passes, with its weights open and nothing generated yet. */
export interface Lowered {
  readonly program: LoadedProgram;
  readonly built: BuiltModel;
  readonly module: Module;
  readonly passes: readonly PassRecord[];
  readonly dumps: Compiled["dumps"];
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
  options: CompileOptions,
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

const isNpu = (target = "reference"): boolean => loadTarget(target).facts?.socModel !== undefined;

/** @throws HeddleError as `lowerProgram`, or for what the target cannot run; the old build folder is then as it was. */
export async function compileProgram(file: string, options: CompileOptions = {}): Promise<Compiled> {
  const { target = "reference", onStep = () => {} } = options;
  // Better to hear it now than after the weights.
  if (options.precision !== undefined) backendFor(target, options.precision);
  const npu = options.context !== false && hasContext(target, options.precision ?? (isNpu(target) ? "f16" : "f32"));
  if (npu) findCompiler();
  let contextCached: boolean | undefined;
  const finish = async (folder: string, draft: Manifest): Promise<Manifest> => {
    const { simulate = true, cache = true } = options;
    const { manifest, cached } = await finishBuild(folder, draft, { simulate, cache, onStep });
    // Of several parts all must have been known.
    contextCached = (contextCached ?? true) && cached;
    return manifest;
  };
  return lowerProgram(file, options, async (lowered) => {
    const { program, built, module, passes, dumps, weights, checkpoint, precision, times, quantization, halfRange } =
      lowered;
    const { reason } = lowered;
    const out = options.out ?? join("build", `${program.name}${suffixOf(options)}`);
    onStep("generating code");
    const { written, ms } = await writeBuild(
      {
        program: program.name,
        module,
        info: built.info,
        eos: checkpoint?.eos ?? [],
        target,
        precision,
        ...(options.quantize?.blockSize && { blockSize: options.quantize.blockSize }),
        weights,
        out,
        ...(checkpoint?.tokenizer && { tokenizer: checkpoint.tokenizer }),
        ...(checkpoint?.chat && { chat: checkpoint.chat }),
        ...(checkpoint?.sampling && { sampling: checkpoint.sampling }),
        passes: passes.map((r) => r.name),
        ...(quantization &&
          target === "x-elite" && {
            backend: qnnVendorFixed(quantization.encodings, {
              units: quantization.units,
              read: (name, shape) => weights.read(name, shape),
            }),
          }),
        isPart: options.layers !== undefined,
        extra: (folder) => {
          writeDumps(folder, dumps);
          if (quantization) writeQuantization(folder, quantization);
          if (halfRange) writeFileSync(join(folder, "half-range.json"), `${JSON.stringify(halfRange, undefined, 1)}\n`);
        },
        ...(npu && { finish }),
        progress: (done, total) => onStep(`writing weights: ${Math.round((100 * done) / total)}%`),
      },
      options.parts ?? (npu ? partsFor(module, target) : 1),
    );
    return {
      ...written,
      out,
      model: `${program.model.name} (${built.config})`,
      passes,
      dumps,
      times: { ...times, ...ms },
      ...(contextCached !== undefined && { contextCached }),
      ...(quantization && { quantization }),
      ...(halfRange && { halfRange }),
      ...(reason && { reason }),
    };
  });
}

/** Bytes of made-up weights that are worth writing: enough for the models that one computes with. */
const mostMadeUp = 16e9;

/** Why a whole model is not written where nobody gave weights: the reason in words; undefined where it is. */
export async function tooLargeToMakeUp(file: string, options: CompileOptions): Promise<string | undefined> {
  if (options.weights !== undefined || options.layers) return undefined;
  const { module } = (await loadProgram(file)).build(options.config);
  const size = paramsOf(module).reduce((sum, { shape }) => sum + 4 * shape.reduce((n, d) => n * d, 1), 0);
  if (size <= mostMadeUp) return undefined;
  return `${(size / 1e9).toFixed(0)} GB of made-up weights would help nobody: give --weights, or compile a part with --layers 7`;
}

/** A part of a model has a folder of its own. */
const suffixOf = ({ layers }: CompileOptions): string =>
  layers ? `-layers-${layers.first}${layers.last > layers.first ? `-${layers.last}` : ""}` : "";

/** @throws HeddleError where blocks are asked for and there are none. */
function precisionOf({ precision, target = "reference" }: CompileOptions, weights: WeightSource): Precision {
  if (precision === "native" && !weights.blocks)
    throw new HeddleError("has no weights in blocks to keep", {
      subject: weights.name,
      hint: "--precision f32 or f16, or a .gguf file as --weights",
    });
  return precision ?? (weights.blocks && target === "reference" ? "native" : isNpu(target) ? "f16" : "f32");
}

/** `ir/00-model.ir`, `ir/01-<pass>.ir` ... */
function writeDumps(folder: string, dumps: Compiled["dumps"]): void {
  mkdirSync(join(folder, "ir"));
  for (const [i, { title, text }] of dumps.entries())
    writeFileSync(join(folder, "ir", `${String(i).padStart(2, "0")}-${title}.ir`), text);
}

/** `calibration.json`, which a later compile can take, and `quantization.json` with what was found about each layer. */
function writeQuantization(folder: string, { calibration, quality, overflows }: Quantization): void {
  writeFileSync(join(folder, "calibration.json"), `${JSON.stringify(calibration, undefined, 1)}\n`);
  const report = { format: "heddle.quantization/1", ...quality, overflows };
  writeFileSync(join(folder, "quantization.json"), `${JSON.stringify(report, undefined, 1)}\n`);
}
