import { test } from "uvu";
import * as assert from "uvu/assert";
import { newestHalf } from "../../src/runtime/newest-half.ts";

const sequence = [2, 10, 11, 12, 13, 14, 15, 16, 17];

test("the newest tokens, half as many as fit", () => {
  assert.equal(newestHalf(sequence, [], 8), [14, 15, 16, 17]);
  assert.equal(newestHalf(sequence, [], 1), [17]);
});

test("what opens every text stays in front, where it was there", () => {
  assert.equal(newestHalf(sequence, [2], 8), [2, 15, 16, 17]);
  assert.equal(newestHalf(sequence.slice(1), [2], 8), [14, 15, 16, 17]);
  assert.equal(newestHalf(sequence, [2], 2), [17]);
});

test.run();
