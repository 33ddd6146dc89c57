/** Quantisation from end to end: calibration, and the passes that follow from it. */
import { readFileSync } from "node:fs";
import type { BuiltModel, LoadedProgram } from "../../frontend/load.ts";
import { HeddleError } from "../../ir/error.ts";
import type { Module } from "../../ir/program.ts";
import { f16Weights } from "../../passes/f16-weights.ts";
import type { Pass } from "../../passes/pass.ts";
import { isHead, quantizePass } from "../../passes/quantize.ts";
import type { Checkpoint } from "../../weights/checkpoint.ts";
import type { WeightSource } from "../../weights/source.ts";
import { calibrate } from "./calibration/calibrate.ts";
import { type Calibration, checkCalibration, rangesBy } from "./calibration/calibration.ts";
import { rowsOf } from "./calibration/run.ts";
import { calibrationTokens } from "./calibration/text.ts";
import type { QuantizeRequest } from "./quantize-request.ts";

export { isQuantized, type QuantizeRequest } from "./quantize-request.ts";

export interface Quantization {
  readonly calibration: Calibration;
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
  readonly options: { readonly quantize?: QuantizeRequest };
  readonly precision: "w8a16" | "w4a16";
  readonly onStep: (text: string) => void;
}

/** @throws HeddleError for a calibration that cannot be read or does not fit, or values that are not finite. */
export async function planQuantization(input: QuantizationInput): Promise<Quantization> {
  const { module, options, precision } = input;
  const { head = "w8", method = "minmax" } = options.quantize ?? {};
  const calibration = await calibrationFor(input);
  const body = precision === "w4a16" ? 4 : 8;
  const headBits = ({ w8: 8, w4: 4, f16: "float" } as const)[head];
  const quantize = quantizePass({
    ranges: rangesBy(calibration, method),
    bits: (linear) => (isHead(module.graph, linear) ? headBits : body),
  });
  return { calibration, passes: [quantize, f16Weights] };
}

async function calibrationFor(input: QuantizationInput): Promise<Calibration> {
  const { program, built, module, weights, checkpoint, options, onStep } = input;
  const file = options.quantize?.calibration;
  if (file?.endsWith(".json")) return checkCalibration(readCalibration(file), file, program.name);
  onStep("calibrating");
  const tokens = calibrationTokens(file, {
    tokenizer: checkpoint?.tokenizer,
    vocab: built.info.vocab,
    rows: rowsOf(module.graph),
  });
  return calibrate(program.name, module.graph, weights, tokens, (share) =>
    onStep(`calibrating on ${tokens.text}: ${Math.round(100 * share)}%`),
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
