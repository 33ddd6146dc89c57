/** The QNN graphs of every program on the tiny configuration, as text. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileEntries } from "../../../src/codegen/entries.ts";
import { qnnReference, qnnVendor } from "../../../src/codegen/qnn/index.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { goldenFolder } from "../../golden.ts";
import { programs } from "../../support/programs.ts";
import { compiled } from "../programs.ts";

for (const name of programs) {
  test(`QNN of ${name}`, async () => {
    const { module } = await compiled(name);
    const compile = () => compileEntries(module, qnnReference, new WeightTable());
    const entries = compile();
    assert.equal(
      compile().map((e) => e.artifacts),
      entries.map((e) => e.artifacts),
      "two runs give the same bytes",
    );
    // Further buckets differ in sizes only.
    const files = entries
      .filter((e) => e.entry.name.endsWith("-64"))
      .map((e) => [`${e.entry.name}.qnn.json`, e.artifacts[0]!.text]);
    goldenFolder(`qnn/${name}`, ".qnn.json", Object.fromEntries(files));
  });
}

test("QNN of gpt2-fa2-kv-fused for Qualcomm's libraries", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const entries = compileEntries(module, qnnVendor, new WeightTable());
  const decode = entries.find((e) => e.entry.name === "decode-64")!;
  goldenFolder("qnn/gpt2-fa2-kv-fused-x-elite", ".qnn.json", { "decode-64.qnn.json": decode.artifacts[0]!.text });
});

test("the plan as text", async () => {
  const { module } = await compiled("gpt2-fa2-kv-fused");
  const [entry] = compileEntries({ ...module, entries: [module.entries[1]!] }, qnnReference, new WeightTable());
  goldenFolder("qnn/gpt2-fa2-kv-fused", ".plan.txt", { "decode-64.plan.txt": qnnReference.show(entry!.plan) });
});

test.run();
