/** What a model's values were on a text: `calibration.json`, from which encodings follow. */
import { HeddleError } from "../../../ir/error.ts";
import type { Range } from "../../../passes/support/encoding.ts";
import type { CacheRanges } from "./caches.ts";
import type { NormRanges, ResidualRanges } from "./residual.ts";

export const calibrationMethods = ["minmax", "percentile", "mse"] as const;
export type CalibrationMethod = (typeof calibrationMethods)[number];

/** Ranges of one value by each method; the least error is one of 16 bits, `mse8` of 8 bits: files from before there were any lack it. */
export type ValueRanges = Readonly<Record<CalibrationMethod, Range>> & { readonly mse8?: Range };

export interface Calibration {
  readonly format: "heddle.calibration/1";
  /** The program and the weights whose values these are. */
  readonly program: string;
  readonly weights: string;
  /** What was read: a file's name, or what stood in for one. */
  readonly text: string;
  readonly tokens: number;
  /** By the names of the graph after split-linears. */
  readonly values: Readonly<Record<string, ValueRanges>>;
  /** Where the model has a residual stream that only norms read. */
  readonly residual?: ResidualRanges;
  /** Where the model keeps keys and values, by the name of the attention. */
  readonly caches?: Readonly<Record<string, CacheRanges>>;
  /** How much each channel of what a product reads matters, by name; files from before there was any lack it. */
  readonly importance?: Readonly<Record<string, readonly number[]>>;
}

/** The ranges of all values by one method, for integers of so many bits. */
export const rangesBy = ({ values }: Calibration, method: CalibrationMethod, bits: 8 | 16): Record<string, Range> =>
  Object.fromEntries(
    Object.entries(values).map(([name, ranges]) => [
      name,
      (method === "mse" && bits === 8 && ranges.mse8) || ranges[method],
    ]),
  );

const isRange = (r: unknown): r is Range =>
  typeof r === "object" && r !== null && "min" in r && "max" in r && Number.isFinite(r.min) && Number.isFinite(r.max);

/** @throws HeddleError for what is no calibration, or one of another program. */
export function checkCalibration(content: unknown, subject: string, program: string): Calibration {
  const refuse = (reason: string): never => {
    throw new HeddleError(reason, {
      subject,
      hint: "give the calibration.json of a build of this program, or a text file",
    });
  };
  if (typeof content !== "object" || content === null || !("format" in content)) return refuse("is not a calibration");
  const c = content as Calibration;
  if (c.format !== "heddle.calibration/1") refuse(`has format ${JSON.stringify(c.format)}, not "heddle.calibration/1"`);
  if (c.program !== program) refuse(`was made for program ${c.program}, not ${program}`);
  if (typeof c.values !== "object" || c.values === null) refuse("has no values");
  for (const [name, ranges] of Object.entries(c.values))
    for (const method of calibrationMethods)
      if (!isRange(ranges?.[method]) || !isRange(ranges.mse8 ?? ranges[method]))
        refuse(`has no ${method} range of %${name}`);
  if (c.residual !== undefined && !isResidual(c.residual)) refuse("has no ranges of its residual stream");
  if (c.caches !== undefined && !areCaches(c.caches)) refuse("has no ranges of its caches");
  const matters = Object.values(c.importance ?? {});
  if (c.importance === null || !matters.every(areDivisors)) refuse("has no numbers of how much channels matter");
  return c;
}

const isReach = (x: unknown): x is number => Number.isFinite(x) && (x as number) >= 0;

const areDivisors = (divisors: unknown): divisors is number[] =>
  Array.isArray(divisors) && divisors.every((d) => isReach(d) && d > 0);

function areCaches(caches: Readonly<Record<string, Partial<CacheRanges> | null>> | null): boolean {
  if (typeof caches !== "object" || !caches) return false;
  return Object.values(caches).every((c) => {
    const { queries, keys, values } = c?.reaches ?? {};
    const areOrigins =
      c?.origins === undefined || (Array.isArray(c.origins) && c.origins.every((o) => Number.isFinite(o)));
    return areDivisors(c?.keys) && areDivisors(c?.values) && areOrigins && [queries, keys, values].every(isReach);
  });
}

/** Powers of two and finite reaches. */
function isResidual(residual: Partial<ResidualRanges> | null): boolean {
  const { divisors, reaches, norms } = residual ?? {};
  const isNorm = (n: Partial<NormRanges> | null) =>
    isReach(n?.wide) && isReach(n?.normal) && isRange(n?.rms) && n.rms.min >= 0;
  if (!areDivisors(divisors) || !divisors.every((d) => Number.isInteger(Math.log2(d)))) return false;
  if (typeof reaches !== "object" || typeof norms !== "object" || !reaches || !norms) return false;
  return Object.values(reaches).every(isReach) && Object.values(norms).every(isNorm);
}
