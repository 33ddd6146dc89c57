/** What is read from the vendor's log and profile, as it was recorded, and the bound that times are compared with. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readDdrSummary } from "../../src/htp/ddr-summary.ts";
import { boundBytes, hasContext } from "../../src/htp/index.ts";
import { readSimulated } from "../../src/htp/simulated-cost.ts";
import type { LogLine, ProfileEvent } from "../../src/runtime/addon.ts";

const line = (text: string): LogLine => ({ level: "info", text });
const summary = [
  "\n====== DDR bandwidth summary ======",
  "spill_bytes=3215360",
  "fill_bytes=3284992",
  "write_total_bytes=13249024",
  "read_total_bytes=272576512",
].map(line);

test("a DDR summary between other lines", () => {
  const ddr = readDdrSummary([line("Completed stage: VTCM Allocation (40 us)"), ...summary, line("other=1 text")]);
  assert.equal(ddr, { read: 272576512, written: 13249024, spilled: 3215360, filled: 3284992 });
});

test("of two summaries the last; none, or a part of one, is none", () => {
  const second = summary.map((l) => line(l.text.replace("=3", "=4")));
  assert.is(readDdrSummary([...summary, ...second])!.spilled, 4215360);
  assert.is(readDdrSummary([]), undefined);
  assert.is(readDdrSummary(summary.slice(1)), undefined);
  assert.is(readDdrSummary(summary.slice(0, 4)), undefined);
});

const event = (type: number, value: number, identifier = "", children: ProfileEvent[] = []): ProfileEvent => ({
  type,
  unit: "none",
  value,
  identifier,
  children,
});

test("simulated costs, and ops without one", () => {
  const profile = [
    event(300, 4837296, "QNN (finalize) time"),
    event(2004, 0, "Performance Estimates", [event(2005, 0, "Mode")]),
    ...[event(2006, 8817131), event(2007, 8775136), event(2019, 5887), event(2020, 5859), event(2021, 6116)],
    event(2017, 2, "Missing Ops", [event(2018, 0, "h9.tanh : OpId_1187"), event(2018, 0, "h8.mul : OpId_1096")]),
  ];
  assert.equal(readSimulated(profile), {
    us: 5887,
    usLower: 5859,
    usUpper: 6116,
    cycles: 8817131,
    uncosted: ["h9.tanh : OpId_1187", "h8.mul : OpId_1096"],
  });
  assert.is(readSimulated(profile.slice(0, 2)), undefined, "most SoCs have no estimates");
});

test("the bound is weights and caches, not tokens", () => {
  const cost = { flops: 1, weightBytes: 1000, activationBytes: 7, cacheBytes: 9 };
  const inputs = [
    { name: "tokens", role: "tokens", dtype: "i32", shape: [1] },
    { name: "k", role: "cache", dtype: "f16", shape: [2, 4, 8] },
    { name: "v", role: "cache", dtype: "u8", shape: [2, 8, 4] },
  ] as const;
  assert.is(boundBytes({ cost, inputs }), 1000 + 128 + 64);
});

test("which builds have a context", () => {
  assert.ok(hasContext("x-elite", "f16"));
  assert.not(hasContext("x-elite", "f32"), "HTP has no f32");
  assert.not(hasContext("reference", "f16"));
});

test.run();
