/** What every command does the same: options, `--json`, errors in words, and exit codes. */
import { writeSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { HeddleError } from "../../ir/error.ts";

/** 0 done, 1 the work failed, 2 the command line is wrong. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

export interface Output {
  /** True where the result is to be one JSON document on stdout and nothing else. */
  readonly json: boolean;
  /** Writes to stdout at once. */
  print(text: string): void;
  /** A line for people on stderr, not shown with `--json`. */
  note(text: string): void;
}

/** A command with the options that all have. `npm run <name>` is how people call it. */
export const command = (name: string, description: string): Command =>
  new Command(`npm run ${name}`)
    .description(description)
    .option("--json", "print the result, or the error, as one JSON document")
    .showHelpAfterError("(--help shows all options)")
    .exitOverride();

/**
 * Parses the command line, runs `action` and sets the exit code. Errors are printed without a stack unless HEDDLE_DEBUG is set.
 * @param action gets the operands, the options, and where to write; what it returns is printed as JSON with `--json`.
 */
export async function main<O extends object>(
  definition: Command,
  action: (operands: readonly string[], options: O, output: Output) => Promise<unknown>,
  args: readonly string[] = process.argv.slice(2),
): Promise<void> {
  let output = outputFor(args.includes("--json"));
  try {
    definition.parse(args, { from: "user" });
    const options = definition.opts<O & { json?: boolean }>();
    output = outputFor(options.json === true);
    const result = await action(definition.args, options, output);
    if (output.json) writeAll(`${JSON.stringify(result, null, 2)}\n`);
  } catch (e) {
    process.exitCode = report(e, output);
  }
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
    if (json && e.exitCode !== 0) writeAll(`${JSON.stringify({ error: { message: e.message } })}\n`);
    return e.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  const error = e instanceof Error ? e : new Error(String(e));
  if (json) {
    const { reason, context } = e instanceof HeddleError ? e : { reason: error.message, context: {} };
    writeAll(`${JSON.stringify({ error: { message: error.message, reason, ...context } }, null, 2)}\n`);
  } else process.stderr.write(`error: ${error.message}\n`);
  if (process.env.HEDDLE_DEBUG)
    process.stderr.write(`${error.stack}\n${error.cause ? `caused by ${(error.cause as Error).stack}\n` : ""}`);
  else if (!expected(error) && !json)
    process.stderr.write("  this is a fault of Heddle itself: HEDDLE_DEBUG=1 shows where\n");
  return exitCodes.failed;
}

/** Errors with words for people; anything else is a bug. */
const expected = (e: Error): boolean => e instanceof HeddleError || e.name === "QnnError" || "code" in e;
