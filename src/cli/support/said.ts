/** Where generated text and progress meet: both go to one terminal. */
import type { Output } from "./command.ts";
import { type Progress, progress } from "./progress.ts";

/** Text on a terminal, and progress between it: a step takes a line of its own, where it does not wipe out what was said. */
export class Said {
  readonly output: Output;
  readonly #line: Progress;
  #inLine = false;
  #stepping = false;

  constructor(output: Output) {
    this.#line = progress(!output.json && process.stderr.isTTY === true);
    const print = (text: string) => {
      output.print(text);
      if (text !== "") this.#inLine = !text.endsWith("\n");
    };
    this.output = { ...output, print };
  }

  /** Shows what is being done; undefined when it is done. */
  readonly step = (text: string | undefined): void => {
    if (text !== undefined && !this.#stepping && this.#inLine && process.stderr.isTTY) {
      process.stderr.write("\n");
      this.#inLine = false;
    }
    this.#stepping = text !== undefined;
    if (text === undefined) this.#line.done();
    else this.#line.step(text);
  };
}
