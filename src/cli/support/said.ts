/** Where generated text and progress meet: both go to one terminal. */
import type { Output } from "./command.ts";
import { type Progress, type ProgressOutput, progress } from "./progress.ts";

/** Text on a terminal, and progress between it: a step takes a line of its own, where it does not wipe out what was said. */
export class Said {
  readonly output: Output;
  readonly #to: ProgressOutput;
  readonly #line: Progress;
  #inLine = false;
  #stepping = false;

  constructor(output: Output, to: ProgressOutput = process.stderr) {
    this.#to = to;
    this.#line = progress(!output.json, to);
    const print = (text: string) => {
      output.print(text);
      if (text !== "") this.#inLine = !text.endsWith("\n");
    };
    this.output = { ...output, print };
  }

  /** Shows what is being done; undefined when it is done. */
  readonly step = (text: string | undefined): void => {
    if (text !== undefined && !this.#stepping && this.#inLine && this.#to.isTTY) {
      this.#to.write("\n");
      this.#inLine = false;
    }
    this.#stepping = text !== undefined;
    if (text === undefined) this.#line.done();
    else this.#line.step(text);
  };

  /**
   * Shows what is being waited for, and for how many seconds, where there is no step to show.
   * @returns what ends that; harmless when repeated
   */
  wait(text: () => string): () => void {
    const started = performance.now();
    const show = () => {
      const seconds = Math.round((performance.now() - started) / 1000);
      if (!this.#stepping) this.#line.step(seconds < 1 ? text() : `${text()} (${seconds} s)`);
    };
    show();
    let clock: NodeJS.Timeout | undefined = setInterval(show, 1000);
    return () => {
      if (clock === undefined) return;
      clearInterval(clock);
      clock = undefined;
      this.#line.done();
    };
  }
}
