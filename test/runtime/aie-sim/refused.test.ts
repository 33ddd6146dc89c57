/** Designs that are wrong, each with the exact words in which they are refused, by the checker or in the run. */
import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { HeddleError } from "../../../src/ir/error.ts";
import { loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { bytesOf } from "../../../src/runtime/aie-sim/mlir/type.ts";
import { golden } from "../../golden.ts";

const folder = "test/golden/aie-sim/refused";

/** When it is refused, and how. */
function refusal(file: string): string {
  let when = "checked";
  try {
    const design = loadDesign(readFileSync(file, "utf8"), { file: file.split("/").at(-1)! });
    when = "run";
    simulate(
      design,
      design.host.args.map(({ type }) => new Uint8Array(bytesOf(type))),
    );
  } catch (e) {
    if (e instanceof HeddleError) return `${when}: ${e.message}\n`;
    throw e;
  }
  return "not refused\n";
}

for (const name of readdirSync(folder).filter((f) => f.endsWith(".mlir")))
  test(name, () => {
    const text = refusal(`${folder}/${name}`);
    assert.is.not(text, "not refused\n");
    assert.match(text, name.replace(".mlir", ""));
    golden(`aie-sim/refused/${name.replace(/mlir$/, "txt")}`, text);
  });

test.run();
