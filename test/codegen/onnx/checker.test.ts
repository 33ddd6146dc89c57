/** ONNX's own checker, where Python has the package `onnx` (or HEDDLE_PYTHON names one that has). */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { writeOnnx } from "../../../src/codegen/onnx/index.ts";
import { bind } from "../../../src/ir/index.ts";
import { programs } from "../../support/programs.ts";
import { tempFolder } from "../../support/temp.ts";
import { compiled, source } from "../programs.ts";

const python = process.env.HEDDLE_PYTHON ?? "python3";
const found = spawnSync(python, ["-c", "import onnx"]).status === 0;
const wanted = process.env.HEDDLE_REQUIRE_ONNX === "1";

(found || wanted ? test : test.skip)("the ONNX checker accepts every entry point of every program", async () => {
  const folder = tempFolder();
  const files: string[] = [];
  for (const name of programs) {
    const { module } = await compiled(name);
    for (const entry of module.entries) {
      const file = join(folder, `${name}-${entry.name}.onnx`);
      // Every other model has its weights beside it.
      await writeOnnx(bind(module.graph, entry.bind, entry.name), source, file, files.length % 2 ? 0 : undefined);
      files.push(file);
    }
  }
  const { status, stderr } = spawnSync(python, ["scripts/check_onnx.py", ...files], { encoding: "utf8" });
  assert.is(status, 0, stderr);
});

test.run();
