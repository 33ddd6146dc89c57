/** A program in parts on Qualcomm's simulator: a context binary for each part, one session. Skipped where the library is not installed. */
import { join } from "node:path";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { compileProgram } from "../../src/cli/support/compile-program.ts";
import { build, logitsAlong, promptOf, withSession } from "../support/builds.ts";
import { argmax, greedyReference, hasHtp, sqnr } from "../support/htp.ts";
import { tempFolder } from "../support/temp.ts";

const test = hasHtp ? always : always.skip;

test("prefill and two steps in f16 are the reference backend's", async () => {
  const prompt = promptOf(100);
  const { expected, sequence } = await greedyReference(await build("gemma3-270m"), prompt, 2);
  const out = join(tempFolder(), "parts");
  const options = { config: "tiny", target: "x-elite", precision: "f16", contexts: [128], parts: 2, out } as const;
  const { parts } = await compileProgram("graphs/gemma3-270m.ts", options);
  assert.equal(
    parts.map((p) => [p.scopes, p.manifest.context?.file]),
    [
      ["embedding-h1", "qnn/context.bin"],
      ["h2-head", "qnn/context.bin"],
    ],
  );
  // The simulator's binaries are not in the build: here they are not in the cache any more either.
  process.env.HEDDLE_CACHE = join(tempFolder(), "cache");
  const steps: (string | undefined)[] = [];
  await withSession(
    out,
    async (session) => {
      for (const [i, logits] of (await logitsAlong(session, prompt, sequence)).entries()) {
        const ratio = sqnr(logits, expected[i]!);
        assert.ok(ratio > 40, `step ${i}: ${ratio.toFixed(1)} dB`);
        assert.is(argmax(logits), argmax(expected[i]!));
      }
    },
    { backend: "htp", onStep: (step) => steps.push(step) },
  );
  const said = steps.map((s) => /^Qualcomm's compiler: .*(prefill|decode)-128/.exec(s ?? "")?.[1] ?? s);
  assert.equal([...new Set(said)].sort(), ["decode", "prefill", undefined]);
  assert.is(steps.at(-1), undefined);
});

/** The same steps of quantised programs: what parts hand on is in integers, in the encoding that calibration found for all of them. */
for (const precision of ["w8a16", "w4a16"] as const)
  test(`prefill and two steps in ${precision}, cut by the size of a context`, async () => {
    const prompt = promptOf(100);
    const quantize = { kv: "k8v16", ...(precision === "w4a16" && ({ blockSize: 32 } as const)) } as const;
    const onReference = await build("gemma3-270m", { config: "tiny", precision, quantize });
    const { expected, sequence } = await greedyReference(onReference, prompt, 2);
    const out = join(tempFolder(), "parts");
    const options = { config: "tiny", target: "x-elite", precision, contexts: [128], out } as const;
    const { parts, manifest } = await compileProgram("graphs/gemma3-270m.ts", { ...options, contextLimit: 80_000 });
    assert.ok(parts.length > 1, `${parts.length} parts`);
    for (const [i, entry] of manifest.entries.entries()) {
      const own = parts.map((p) => p.manifest.entries[i]!);
      assert.ok(own.every((e) => e.fixedPoint));
      for (const [k, e] of own.slice(1).entries()) {
        const [given, wanted] = [
          own[k]!.outputs.find((p) => p.role === "hidden")!,
          e.inputs.find((p) => p.role === "hidden")!,
        ];
        assert.is(wanted.dtype, "u16");
        assert.equal(wanted.encoding, given.encoding);
      }
      const times = own.map((e) => e.npu!.simulated!);
      assert.is(
        entry.npu?.simulated?.us,
        times.reduce((sum, t) => sum + t.us, 0),
      );
      const bound = times.reduce((sum, t) => sum + t.us * t.shareOfBound, 0);
      assert.ok(Math.abs(entry.npu!.simulated!.shareOfBound - bound / entry.npu!.simulated!.us) < 1e-12);
    }
    await withSession(
      out,
      async (session) => {
        for (const [i, logits] of (await logitsAlong(session, prompt, sequence)).entries()) {
          const ratio = sqnr(logits, expected[i]!);
          assert.ok(ratio > 30, `step ${i}: ${ratio.toFixed(1)} dB`);
        }
      },
      { backend: "htp" },
    );
  });

always.run();
