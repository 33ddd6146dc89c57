/** Parsers of option values; what they refuse is a usage error. */
import { InvalidArgumentError, Option } from "commander";
import { nearest } from "../../ir/nearest.ts";
import { blockSizes } from "../../ir/ops/support/quant.ts";
import type { LayerRange } from "../../ir/program.ts";

/** A whole number in `[least, most]`. */
export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number${most === Number.MAX_SAFE_INTEGER ? `, ${least} or more` : ` from ${least} to ${most}`}.`,
      );
    return value;
  };

/** A number in `[least, most]`. */
export const real =
  (least: number, most = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a number ${most === Number.POSITIVE_INFINITY ? `of ${least} or more` : `from ${least} to ${most}`}.`,
      );
    return value;
  };

/** `7` or `6-11`: layers counted from 0. */
export function layerRange(text: string): LayerRange {
  const [, first, last = first] = /^(\d+)(?:(?:-|\.\.)(\d+))?$/.exec(text.trim()) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new InvalidArgumentError("expected a layer such as 7, or several such as 6-11; the first is 0.");
  return { first: Number(first), last: Number(last) };
}

/** A hint for a name that is not among those known: the one that was probably meant, and all. */
export function oneOf(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined ? `one of ${known.join(", ")}` : `${meant}; there are ${known.join(", ")}`;
}

/** A machine to compile for, `reference` unless it is said. */
export const targetOption = (description: string): Option =>
  new Option("--target <name>", description).choices(["reference", "x-elite", "phoenix", "strix"]).default("reference");

/** Of weights of 4 bits: how many inputs share a scale. */
export const blockSizeOption = (): Option => {
  const sizes = [...blockSizes.map(String), "none"];
  return new Option(
    "--block-size <n>",
    "inputs that share a scale in weights of 4 bits, or none for one scale per output channel (default: none; 32 for x-elite where heads share keys and values)",
  )
    .choices(sizes)
    .argParser((text) => {
      if (!sizes.includes(text)) throw new InvalidArgumentError(`expected one of ${sizes.join(", ")}.`);
      return text === "none" ? text : Number(text);
    });
};
