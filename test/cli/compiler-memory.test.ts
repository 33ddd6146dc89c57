/** What is said before Qualcomm's compiler is run on a machine that is short of memory. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { memoryNote } from "../../src/cli/support/compiler-memory.ts";
import { loadProgram } from "../../src/frontend/load.ts";
import { runPasses } from "../../src/passes/run.ts";

/** A program with its passes, for one size of caches: two entry points. */
async function lowered(name: string, config?: string) {
  const program = await loadProgram(`graphs/${name}.ts`);
  return runPasses(program.build(config).module, program.passes, { contexts: [256] }).module;
}
const common = { parts: undefined, limit: 3e9 };

test("1B: in parts where memory is short, in so many that each fits", async () => {
  const module = await lowered("gemma3-1b");
  const note = (precision: "f16" | "w8a16", free: number) => memoryNote({ module, precision, ...common, free });
  assert.is(note("f16", 64e9), undefined);
  assert.is(
    note("f16", 16e9),
    "Qualcomm's compiler takes about 21.0 GB of memory for this, and 16.0 GB are free: --parts 2 takes about 14.4 GB",
  );
  // The table of tokens in 16 bits and the head in 8 beside matrices in 8.
  assert.match(note("w8a16", 16e9)!, /takes about 17\.3 GB .* --parts 2 takes about 11\.1 GB$/);
  // No part is smaller than the table of tokens.
  assert.match(note("w8a16", 1e9)!, /--parts 5 takes about 7\.74 GB$/);
  assert.is(memoryNote({ module, precision: "f16", ...common, parts: 3, free: 16e9 }), undefined);
});

test("what is cut by itself is reckoned in these parts; one layer is not cut", async () => {
  const module = await lowered("gemma3-1b");
  assert.is(memoryNote({ module, precision: "f16", parts: undefined, limit: 1e9, free: 16e9 }), undefined);
  const program = await loadProgram("graphs/gemma3-270m.ts");
  const one = runPasses(program.build("tiny", { first: 1, last: 1 }).module, program.passes, { contexts: [64] }).module;
  assert.match(
    memoryNote({ module: one, precision: "f16", ...common, free: 1000 })!,
    /: fewer sizes of caches at once/,
  );
});

test.run();
