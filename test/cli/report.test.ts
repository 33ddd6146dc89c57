/** The report's page shows what Qualcomm's compiler said of each entry point, and nothing of it where it was not asked. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ReportEntry } from "../../src/cli/report/data.ts";
import { entrySection } from "../../src/cli/report/entries.ts";

const cost = { flops: 1e6, weightBytes: 1000, activationBytes: 10, cacheBytes: 100 };
const entry: ReportEntry = { name: "decode-64", tokens: 1, context: 64, cost, ops: [], nodes: [] };
const npu = {
  finalizeMs: { value: 1500, source: "measured" },
  ddr: { read: 2_500_000, written: 64_000, spilled: 0, filled: 0, source: "vendor-simulated" },
  simulated: {
    ...{ soc: 52, us: 2021, usLower: 2000, usUpper: 2100, cycles: 1, boundBytes: 1, shareOfBound: 0.967, uncosted: [] },
    source: "vendor-simulated",
  },
} as const;

test("bytes, time and share of the bound, with their source", () => {
  const html = entrySection([entry, { ...entry, name: "decode-<128>", npu }]);
  assert.match(html, "On the NPU");
  assert.match(html, /decode-&lt;128&gt;<\/b><\/td>.*2\.50 MB.*64\.0 kB.*0 B.*2\.02 ms.*97%.*1\.50 s/s);
  assert.match(html, "vendor-simulated");
});

test("a build without a context binary says nothing of an NPU", () =>
  assert.not.match(entrySection([entry]), "On the NPU"));

test.run();
