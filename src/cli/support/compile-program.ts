/** The compiler from end to end: a graph file in, a build folder out. What `npm run compile` does, as a function. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backendFor, paramsOf } from "../../codegen/compile.ts";
import { partsWithin } from "../../codegen/cut.ts";
import type { Manifest } from "../../codegen/manifest.ts";
import { qnnVendorFixed } from "../../codegen/qnn/index.ts";
import { loadProgram } from "../../frontend/load.ts";
import { findCompiler, finishBuild, hasContext } from "../../htp/index.ts";
import { loadTarget } from "../../targets/target.ts";
import { memoryNote } from "./compiler-memory.ts";
import { isNpu, type Lowered, type LowerOptions, lowerProgram } from "./lower-program.ts";
import type { Quantization } from "./quantization.ts";
import { type Written, writeBuild } from "./write-build.ts";

export interface CompileOptions extends LowerOptions {
  /**
   * Parts that the program is cut into, each with graphs and weights of its own, which run one after the other. Default one, or as
   * many as it takes for each to fit a context of the target's NPU.
   */
  readonly parts?: number;
  /** Bytes of weights that a context of the NPU may have; default that of the target. */
  readonly contextLimit?: number;
  /** Default `build/<program>`. */
  readonly out?: string;
  /** For a target with an NPU compiler: whether to run it. Default true; false writes the graphs as JSON and stops there. */
  readonly context?: boolean;
  /** Whether to find simulated times, which takes a second compilation. Default true. */
  readonly simulate?: boolean;
  /** Called with what is to be known beforehand, such as that memory may not do. */
  readonly onNote?: (text: string) => void;
  /** Whether what the NPU's compiler made before may be used and is kept. Default true. */
  readonly cache?: boolean;
}

export interface Compiled extends Written, Pick<Lowered, "passes" | "dumps" | "quantization" | "halfRange" | "reason"> {
  readonly out: string;
  /** The model and its configuration: `gpt2 (tiny)`. */
  readonly model: string;
  /** Milliseconds: graph file, passes with verification and proof, code generation, weights, the vendor's compiler. */
  readonly times: Readonly<Record<"load" | "passes" | "codegen" | "weights" | "finish", number>>;
  /** Whether the context binary and its costs were all known from before; undefined where there is none. */
  readonly contextCached?: boolean;
}

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
  const limit = options.contextLimit ?? loadTarget(target).facts?.contextLimit?.value ?? Number.POSITIVE_INFINITY;
  const onShapes: LowerOptions["onShapes"] = (module, precision) => {
    const note = memoryNote({ module, precision, parts: options.parts, limit });
    if (note) options.onNote?.(note);
  };
  return lowerProgram(file, { ...options, ...(npu && { onShapes }) }, async (lowered) => {
    const { program, built, module, passes, dumps, weights, checkpoint, precision, times } = lowered;
    const { quantization, halfRange, reason } = lowered;
    const blockSize = quantization?.quality.layers.find((l) => l.blockSize)?.blockSize;
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
        ...(blockSize && { blockSize }),
        weights,
        out,
        ...(checkpoint?.tokenizer && { tokenizer: checkpoint.tokenizer }),
        ...(checkpoint?.chat && { chat: checkpoint.chat }),
        ...(checkpoint?.sampling && { sampling: checkpoint.sampling }),
        passes: passes.map((r) => r.name),
        ...(quantization &&
          target === "x-elite" && {
            backend: (seams) =>
              qnnVendorFixed(quantization.encodings, {
                units: quantization.units,
                read: (name, shape) => weights.read(name, shape),
                seams,
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
      options.parts ?? (npu ? partsWithin(module, limit) : 1),
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
