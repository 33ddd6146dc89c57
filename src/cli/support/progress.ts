/**
 * Progress of long work: on a terminal one line that overwrites itself. In a file or a pipe, which keep every line, one a minute, so that
 * who reads a log knows what is being waited for and work of seconds leaves nothing.
 */

export interface Progress {
  /** Shows what is being done now. */
  step(text: string): void;
  /** Clears the line. */
  done(): void;
}

/** Where progress goes. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const minute = 60_000;

/**
 * @param enabled false for nothing at all, as with `--json`
 * @param now milliseconds of a clock
 */
export function progress(
  enabled: boolean,
  to: ProgressOutput = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const nothing = () => {};
  if (!enabled) return { step: nothing, done: nothing };
  if (!to.isTTY) {
    let said = now();
    const step = (text: string) => {
      if (now() - said < minute) return;
      said = now();
      to.write(`${text} ...\n`);
    };
    return { step, done: nothing };
  }
  const clear = "\r\u001b[2K";
  return { step: (text) => void to.write(`${clear}${text} ...`), done: () => void to.write(clear) };
}
