/** What the command line says of quantisation. */
import type { Precision, QuantizedPrecision } from "../../codegen/precision.ts";
import { HeddleError } from "../../ir/error.ts";
import type { BlockSize } from "../../passes/quantize.ts";
import type { CalibrationMethod } from "./calibration/calibration.ts";

/** Weights of the last linear: 8 or 4 bits, or left in f16. */
export const heads = ["w8", "w4", "f16"] as const;

/** Of keys and values in caches: both in 8 bits, keys in 8 and values in 16, or as they are. */
export const kvTypes = ["i8", "k8v16", "float"] as const;

export interface QuantizeRequest {
  /** Default w8: every token is chosen by it directly. */
  readonly head?: (typeof heads)[number];
  readonly kv?: (typeof kvTypes)[number];
  /** A text, or a calibration.json. */
  readonly calibration?: string;
  /** Default minmax; percentile for activations of 8 bits. */
  readonly method?: CalibrationMethod;
  /** Percent by which the weights of products may grow for the sake of the layers that suffer most. Default 0. */
  readonly budget?: number;
  /** Inputs that share a scale in weights of 4 bits; none for one scale per output channel. The default is the target's. */
  readonly blockSize?: BlockSize | "none";
}

export const isQuantized = (precision: Precision): precision is QuantizedPrecision => precision.startsWith("w");

/** The options that were given. @throws HeddleError where they have no meaning for the precision. */
export function quantizeRequest(options: QuantizeRequest & { readonly precision?: Precision }): QuantizeRequest {
  const given = (["head", "calibration", "method", "budget", "kv", "blockSize"] as const).filter(
    (key) => options[key] !== undefined,
  );
  if (given.length > 0 && !isQuantized(options.precision ?? "f32"))
    throw new HeddleError(`has no meaning for ${options.precision ?? "f32"}, which quantises nothing`, {
      subject: given.map((key) => `--${key === "blockSize" ? "block-size" : key}`).join(", "),
      hint: "--precision w8a16, w4a16, w8a8 or w4a8",
    });
  if (options.blockSize !== undefined && options.precision?.startsWith("w8") && options.head !== "w4")
    throw new HeddleError(`is of weights of 4 bits, and ${options.precision} has none`, {
      subject: "--block-size",
      hint: "--precision w4a16, or --head w4",
    });
  return Object.fromEntries(given.map((key) => [key, options[key]]));
}
