/** Progress of long work: one line on a terminal that overwrites itself, nothing where stderr is a file or a pipe. */

export interface Progress {
  /** Shows what is being done now. */
  step(text: string): void;
  /** Clears the line. */
  done(): void;
}

export function progress(enabled: boolean = process.stderr.isTTY === true): Progress {
  const clear = "\r\u001b[2K";
  return {
    step: (text) => (enabled ? void process.stderr.write(`${clear}${text} ...`) : undefined),
    done: () => (enabled ? void process.stderr.write(clear) : undefined),
  };
}
