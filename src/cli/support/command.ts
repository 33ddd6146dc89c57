/** What every command does the same: options, `--json`, errors in words, and exit codes. */
import { writeSync } from "node:fs";
import { Command, CommanderError, type Option } from "commander";
import { HeddleError } from "../../ir/error.ts";
import { optionsTakenByNpm } from "./npm.ts";
import { systemError } from "./system-error.ts";

/** 0 done, 1 the work failed, 2 the command line is wrong, 130 stopped with Ctrl-C. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Output {
  /** True where the result is to be one JSON document on stdout and nothing else. */
  readonly json: boolean;
  /** Writes to stdout at once. */
  print(text: string): void;
  /** A line for people on stderr, not shown with `--json`. */
  note(text: string): void;
}

/**
 * A command with the help and the errors that all have.
 * @param usage what follows `npm run`: `compile <graph> -- [options]`.
 * @param examples what follows `npm run` in the examples of the help.
 */
export function command(usage: string, description: string, examples: readonly string[]): Command {
  const [script, ...rest] = usage.split(" ");
  return new Command(script)
    .usage(rest.join(" "))
    .configureHelp({ commandUsage: () => `npm run ${usage}`, optionDescription })
    .description(description)
    .helpOption("-h, --help", "show this")
    .addHelpText("after", `\nExamples:\n${examples.map((e) => `  npm run ${e}`).join("\n")}`)
    .showHelpAfterError(`(all options: npm run ${script} -- --help)`)
    .exitOverride();
}

/** `machine to compile for: reference, x-elite, phoenix (default: reference)`. */
function optionDescription({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices ? `: ${argChoices.join(", ")}` : "";
  return `${description}${choices}${defaultValue === undefined ? "" : ` (default: ${defaultValue})`}`;
}

/**
 * Parses the command line, runs `action` and sets the exit code. Errors are printed without a stack unless HEDDLE_DEBUG is set.
 * @param action gets the operands, the options, and where to write; what it returns is printed as JSON with `--json`.
 */
export async function main<O extends object>(
  definition: Command,
  action: (operands: readonly string[], options: O, output: Output) => Promise<unknown>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  definition.option("--json", "print the result, or the error, as one JSON document");
  let output = outputFor(args.includes("--json"));
  if (output.json) definition.configureOutput({ writeErr: () => {} });
  try {
    refuseOptionsOfNpm(definition, args);
    definition.parse(args, { from: "user" });
    const { json, ...options } = definition.opts();
    output = outputFor(json === true);
    const result = await action(definition.args, options as O, output);
    if (output.json) writeAll(`${JSON.stringify(result, null, 2)}\n`);
  } catch (e) {
    process.exitCode = report(e, output);
  }
}

/** Without this, `npm run compile x.ts --check` would compile and prove nothing, and say so nowhere. */
function refuseOptionsOfNpm(definition: Command, args: readonly string[]): void {
  const taken = optionsTakenByNpm(definition.name(), definition);
  if (taken.length === 0 || args.includes("--help")) return;
  const [argument] = definition.registeredArguments;
  // Without one, what stands there is the value of an option.
  const operand = argument ? `${args[0] ?? `<${argument.name()}>`} ` : "";
  definition.error(
    `error: npm kept ${taken.map((o) => o.split(" ")[0]).join(", ")} for itself: options go after --
  try: npm run ${definition.name()} ${operand}-- ${taken.join(" ")}`,
    { exitCode: exitCodes.usage },
  );
}

const outputFor = (json: boolean): Output => ({
  json,
  print: (text) => (json ? undefined : writeAll(text)),
  note: (text) => (json ? undefined : void process.stderr.write(`${text}\n`)),
});

/** Pipes may take less than all at once. A reader that left (`| head`) ends the command quietly. */
function writeAll(text: string): void {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(exitCodes.done);
      if (code !== "EAGAIN") throw e;
    }
  }
}

function report(e: unknown, { json }: Output): number {
  if (e instanceof CommanderError) {
    // Commander has already written its message to stderr; --help and --version are no errors.
    if (json && e.exitCode !== 0) writeDocument({ message: e.message.replace(/^error: /, "") });
    return e.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  const error = e instanceof Error ? e : new Error(String(e));
  const known = inWords(error);
  if (json)
    writeDocument({ message: (known ?? error).message, reason: known?.reason ?? error.message, ...known?.context });
  else process.stderr.write(`error: ${(known ?? error).message}\n`);
  if (process.env.HEDDLE_DEBUG)
    process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${(error.cause as Error).stack}\n` : ""}`);
  else if (!known && !expected(error) && !json)
    process.stderr.write("  this is a fault of Heddle itself: HEDDLE_DEBUG=1 shows where\n");
  return exitCodes.failed;
}

const writeDocument = (error: object) => writeAll(`${JSON.stringify({ error }, null, 2)}\n`);

/** The error as one for people, where it is one or can be said as one. */
function inWords(error: Error): HeddleError | undefined {
  if (error instanceof HeddleError) return error;
  const system = systemError(error);
  return system && new HeddleError(system.reason, { subject: system.subject, hint: system.hint });
}

/** Errors that say what they have to; anything else is a bug. */
const expected = (e: Error): boolean => "code" in e;
