/** What long work says of itself, on a terminal and in a file. */
import { setTimeout } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { progress } from "../../src/cli/support/progress.ts";
import { Said } from "../../src/cli/support/said.ts";

const clear = "\r\u001b[2K";

/** Steps at seconds of a clock of its own; returns what was written. */
function written(isTTY: boolean, steps: readonly (readonly [second: number, text: string])[], enabled = true): string {
  let [text, second] = ["", 0];
  const to = {
    isTTY,
    write: (more: string) => {
      text += more;
    },
  };
  const line = progress(enabled, to, () => 1000 * second);
  for (const [at, step] of steps) {
    second = at;
    line.step(step);
  }
  line.done();
  return text;
}

const steps = [
  [0, "reading"],
  [59, "passes"],
  [61, "weights, 10%"],
  [100, "weights, 50%"],
  [122, "compiling"],
] as const;

test("on a terminal a line overwrites the one before, and is cleared", () =>
  assert.is(written(true, steps.slice(0, 2)), `${clear}reading ...${clear}passes ...${clear}`));

test("elsewhere one line a minute, and none of work that takes less", () => {
  assert.is(written(false, steps), "weights, 10% ...\ncompiling ...\n");
  assert.is(written(false, steps.slice(0, 2)), "");
});

test("nothing with --json", () => {
  assert.is(written(true, steps, false), "");
  assert.is(written(false, steps, false), "");
});

test("what is waited for is shown again and again, but for steps, until it is there", async () => {
  let [text, done] = ["", 0];
  const take = (more: string) => {
    text += more;
  };
  const said = new Said({ json: false, print: take, note: take }, { isTTY: true, write: take });
  const end = said.wait(() => `reading, ${done} of 2`);
  said.step("compiling");
  await setTimeout(1500);
  said.step(undefined);
  assert.is(text, `${clear}reading, 0 of 2 ...${clear}compiling ...${clear}`);
  done = 1;
  await setTimeout(1500);
  end();
  end();
  assert.match(text, /reading, 1 of 2 \(\d+ s\) /);
  assert.ok(text.endsWith(` ...${clear}`), "cleared once");
  said.output.print("In the");
  said.step("compiling");
  assert.ok(text.endsWith(`In the\n${clear}compiling ...`), "text is not wiped out");
});

test.run();
