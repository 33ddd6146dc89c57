/** What is said of the NPU after a compile. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { npuText } from "../../src/cli/support/npu-text.ts";
import type { Manifest } from "../../src/codegen/manifest.ts";

const entry = (name: string, fixedPoint: boolean) => ({ name, tokens: 1, ...(fixedPoint && { fixedPoint }) });
const library = { provider: "HTP", coreVersion: "2.40.0", backendVersion: "5.40.0", buildId: "v1" };
const context = { file: "qnn/context.bin", bytes: 1e6, sha256: "", soc: 60, optimization: 3, vtcm: 8, library };
const textOf = (precision: string, ...fixed: boolean[]) =>
  npuText({
    precision,
    context: { ...context, weightSharing: true },
    entries: fixed.map((is, i) => entry(`decode-${64 << i}`, is)),
  } as unknown as Manifest);

test("a quantised program that leaves fixed point is told so, by entry point", () => {
  assert.match(textOf("w8a16", true, false, false), /some values of decode-128, decode-256 are computed in f16/);
  assert.not.match(textOf("w8a16", true, true), /in f16/);
  assert.not.match(textOf("f16", false), /in f16/, "which was asked for");
});

test.run();
