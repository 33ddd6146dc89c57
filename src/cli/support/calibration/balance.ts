/** From what calibration saw of a residual stream: by what its channels are divided, and the encodings that follow. */
import type { Encoding } from "../../../ir/ops/support/quant.ts";
import { balanceResidual } from "../../../passes/balance-residual.ts";
import type { Pass } from "../../../passes/pass.ts";
import { encodingFor } from "../../../passes/support/encoding.ts";
import type { Calibration } from "./calibration.ts";
import type { NormRanges } from "./residual.ts";

export interface Balance {
  readonly passes: readonly Pass[];
  /** Of the stream, and of the parts of its norms (codegen/qnn/norm-rules.ts). */
  readonly encodings: ReadonlyMap<string, Encoding>;
  /** The constant beside the rows of each norm. */
  readonly units: ReadonlyMap<string, number>;
  /** The largest divisor. */
  readonly most: number;
}

/** Rows of other texts may be this much shorter than those that calibration saw. */
const shorter = 2;

/** Undefined where there is no stream, or none of its channels stands out. */
export function balanceOf({ residual }: Calibration): Balance | undefined {
  if (!residual || residual.divisors.every((d) => d === 1)) return undefined;
  const around = (reach: number): Encoding => encodingFor({ min: -reach, max: reach }, "u16");
  const encodings = new Map(Object.entries(residual.reaches).map(([name, reach]) => [name, around(reach)]));
  const units = new Map<string, number>();
  for (const [name, norm] of Object.entries(residual.norms)) {
    const wide = around(norm.wide);
    const unit = unitOf(norm, wide.scale);
    units.set(name, unit);
    for (const part of ["wide", "wide.x", "wide.y"]) encodings.set(`${name}.${part}`, wide);
    encodings.set(`${name}.inverse`, encodingFor({ min: 0, max: shorter / norm.rms.min }, "u16"));
    encodings.set(`${name}.normal`, around(norm.normal));
  }
  return {
    passes: [balanceResidual(residual.divisors)],
    encodings,
    units,
    most: Math.max(...residual.divisors),
  };
}

/** Whole steps, so that it is exact: a sixteenth of the shortest row, but of some steps, and never a fourth of the row. */
function unitOf({ rms }: NormRanges, step: number): number {
  const shortest = rms.min / step;
  return step * Math.max(1, Math.min(Math.floor(shortest / 4), Math.max(4, Math.round(shortest / 16))));
}
