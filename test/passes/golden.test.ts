/** The text of every program after every pass, on the tiny configuration. */
import { readdirSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { loadProgram } from "../../src/frontend/index.ts";
import { parse } from "../../src/ir/parse.ts";
import { print } from "../../src/ir/print.ts";
import { runPasses } from "../../src/passes/index.ts";
import { goldenFolder } from "../golden.ts";

// Other sizes of a model differ in numbers alone.
const programs = readdirSync(new URL("../../graphs/", import.meta.url)).filter(
  (f) => f.endsWith(".ts") && !/^gemma3-(?!270m)/.test(f),
);

for (const file of programs)
  test(`IR after every pass of ${file}`, async () => {
    const program = await loadProgram(`graphs/${file}`);
    const { module } = program.build("tiny");
    const { text, records } = runPasses(module, program.passes, { dump: true });
    const named = [{ name: "model", text: text! }, ...records.map((r) => ({ name: r.name, text: r.text! }))];
    const files = Object.fromEntries(named.map((f, i) => [`${String(i).padStart(2, "0")}-${f.name}.ir`, f.text]));
    goldenFolder(`${program.name}`, ".ir", files);
    for (const f of named) assert.is(print(parse(f.text)), f.text, `${f.name} reads back`);
  });

test.run();
