/** A golden that differs is shown as a diff that a person can read, with what to do. */

import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { golden, goldenFolder } from "./golden.ts";

const path = "gpt2-baseline/00-model.ir";
const text = readFileSync(new URL(`golden/${path}`, import.meta.url), "utf8");
const changed = text.replace("eps=0.00001", "eps=0.001");

test("the same text passes", () => golden(path, text));

if (process.env.UPDATE_GOLDEN !== "1") {
  test("a changed line is shown with the lines around it", () => {
    assert.throws(
      () => golden(path, changed),
      (e: Error) => {
        assert.match(e.message, `test/golden/${path} differs; if this change is meant: npm run golden:update`);
        assert.match(e.message, /^@@ -\d+,7 \+\d+,7 @@$/m);
        assert.match(e.message, /^-.* = layerNorm\(.*\{eps=0\.00001\}/m);
        assert.match(e.message, /^\+.* = layerNorm\(.*\{eps=0\.001\}/m);
        return true;
      },
    );
  });

  test("a golden that nobody wrote, and one that nobody writes any more", () => {
    assert.throws(
      () => golden("gpt2-baseline/99-nothing.ir", ""),
      /there is no golden .*99-nothing\.ir: npm run golden:update/,
    );
    assert.throws(() => goldenFolder("gpt2-baseline", ".ir", {}), /00-model\.ir: nothing writes it any more/);
  });
}

test.run();
