import { test } from "uvu";
import * as assert from "uvu/assert";
import { blockSize, workingSet } from "../../src/passes/index.ts";
import { checkTarget, type Figure, loadTarget, targetNames } from "../../src/targets/target.ts";

test("every machine description follows the schema, under its own name", () => {
  assert.equal(targetNames(), ["phoenix", "reference", "strix", "x-elite"]);
  for (const name of targetNames()) assert.is(loadTarget(name).name, name);
});

test("every figure says where it comes from", () => {
  const figures = (x: unknown): Figure[] =>
    typeof x !== "object" || x === null ? [] : "value" in x ? [x as Figure] : Object.values(x).flatMap(figures);
  for (const name of targetNames())
    for (const f of figures(loadTarget(name)))
      assert.ok(f.source && f.note.length >= 10, `${name}: ${JSON.stringify(f)}`);
});

test("an unknown target and a broken description", () => {
  assert.throws(
    () => loadTarget("m1"),
    /target m1: there is no such target\n {2}try: one of phoenix, reference, strix, x-elite/,
  );
  const { fastMemory, ...rest } = loadTarget("reference");
  assert.throws(
    () => checkTarget(rest, "my.json"),
    /my\.json: not a machine description: .*must have required property 'fastMemory'/,
  );
  const guess = { ...rest, fastMemory: { ...fastMemory, source: "guessed" } };
  assert.throws(() => checkTarget(guess, "my.json"), /\/fastMemory\/source must be equal to one of the allowed values/);
});

test("blocks of attention fit the fast memory of the target, 64 at most", () => {
  for (const name of targetNames())
    for (const dim of [64, 128]) {
      const b = blockSize(loadTarget(name), dim);
      assert.ok(workingSet(b, dim) <= loadTarget(name).fastMemory.value, `${name}, ${dim}`);
      assert.ok(
        b === 64 || workingSet(2 * b, dim) > loadTarget(name).fastMemory.value,
        `${name}, ${dim}: could be larger`,
      );
    }
  assert.is(blockSize(loadTarget("reference"), 64), 64);
  assert.is(blockSize(loadTarget("x-elite"), 256), 64);
  assert.is(blockSize(loadTarget("phoenix"), 64), 32);
  assert.is(blockSize(loadTarget("phoenix"), 256), 8);
});

test.run();
