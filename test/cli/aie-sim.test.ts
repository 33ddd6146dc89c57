import { test } from "uvu";
import * as assert from "uvu/assert";
import { runCommand } from "../support/cli.ts";

test("a design is checked, run and reported", async () => {
  const { stdout, code } = await runCommand("aie-sim", ["test/golden/aie-sim/gemm.mlir"]);
  assert.is(code, 0);
  assert.match(stdout, /\(0, 2\) +core +3200 +1024/);
  assert.match(stdout, /\d+ cycles, 1\d\d\.\d us with the dispatch \(modelled\); 1\.02 kB read/);
});

test("a wrong design ends with its place and what to do", async () => {
  const { stderr, code } = await runCommand("aie-sim", ["test/golden/aie-sim/refused/bd-17.mlir", "--check"]);
  assert.is(code, 1);
  assert.match(stderr, /bd-17\.mlir:6:5: @a on tile \(0, 2\): needs a 17th buffer descriptor/);
});

test.run();
