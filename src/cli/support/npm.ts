/** npm keeps options for itself unless they follow `--`, and hands them to the script as `npm_config_<name>` at best. */
import type { Command, Option } from "commander";

/**
 * Options of `script` that npm took away, as people would write them: `--config <name>`. A value that the option does not take is
 * someone's npm configuration (`target` in an .npmrc) and not meant for the command.
 */
export function optionsTakenByNpm(
  script: string,
  definition: Command,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string[] {
  if (env.npm_lifecycle_event !== script) return [];
  return definition.options.flatMap((option) => {
    const value = env[`npm_config_${option.name().replaceAll("-", "_")}`];
    return value && value !== "false" && couldTake(option, value) ? [asWritten(option, value)] : [];
  });
}

/** npm gives `true` for an option whose value stood apart: the value itself arrives as an operand. */
const couldTake = ({ required, argChoices }: Option, value: string): boolean =>
  value === "true" || (required && (argChoices === undefined || argChoices.includes(value)));

function asWritten({ long, required, flags }: Option, value: string): string {
  if (!required) return long!;
  return `${long} ${value === "true" ? flags.slice(flags.indexOf("<")) : quoted(value)}`;
}

/** A word for a shell: in double quotes, which every shell knows, where it needs them. */
export const quoted = (word: string): string =>
  /^[\w./\\:=@%+,-]+$/.test(word) ? word : `"${word.replaceAll(/(["$`])/g, "\\$1")}"`;
