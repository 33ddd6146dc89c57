import { test } from "uvu";
import * as assert from "uvu/assert";
import { aieMachine } from "../../src/targets/aie-machine.ts";

test("limits of npu1 as upstream's target model has them, and npu2 beside it", () => {
  const phoenix = aieMachine("npu1")!;
  assert.is(phoenix.name, "phoenix");
  assert.is(phoenix.tiles.compute.bds, 16);
  assert.is(phoenix.tiles.memory.bdsPerParity, 24);
  assert.is(phoenix.tiles.shim.stepBits, 20);
  assert.equal(phoenix.matmul.bf16xbf16, [4, 8, 4]);
  assert.is(aieMachine("strix")!.columns, 2 * phoenix.columns);
  // 16 cores x 256 x 2 at 1 GHz: the 8.19 TOPS of the description's peaks.
  assert.is(16 * phoenix.macs.i8xi8! * 2 * phoenix.clockHz, 8.192e12);
});

test("a part of the columns; unknown devices", () => {
  assert.is(aieMachine("npu1_3col")!.columns, 3);
  assert.is(aieMachine("npu1_4col"), undefined);
  assert.is(aieMachine("xcve2802"), undefined);
});

test.run();
