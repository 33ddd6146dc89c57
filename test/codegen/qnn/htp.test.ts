/**
 * Qualcomm's HTP compiler and functional simulator take the graphs and compute about what Hugging Face computes: in f16, the
 * only float arithmetic of the NPU. Skipped where the library is not installed.
 */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { compareWithGoldens, readGoldens } from "../../../src/cli/support/goldens.ts";
import { available } from "../../runtime/addon-support.ts";
import { build, withSession } from "../../support/builds.ts";

const test = available("htp") ? always : always.skip;

for (const program of ["gpt2-fa2", "gpt2-fa2-kv-fused"] as const)
  test(`${program} on the HTP simulator`, async () => {
    const folder = await build(program, { config: "tiny", target: "x-elite", precision: "f16" });
    await withSession(
      folder,
      async (session) => {
        let compared = 0;
        for await (const { kind, prompt, error } of compareWithGoldens(session, readGoldens("tiny"))) {
          if (kind !== "logits") break;
          // Logits reach about 1; f16 has 11 bits, and some forty roundings lie between tokens and logits.
          assert.ok(error < 5e-3, `${prompt}: ${error}`);
          if (++compared === 6) break;
        }
        assert.is(compared, 6);
      },
      { backend: "htp" },
    );
  });

always.run();
