/** Angles of ggml's to the bit: the expected numbers are those of C's cosf and sinf (glibc 2.36) after its products in float. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { evaluateNodes, type Node, rotaryTable } from "../../../src/ir/index.ts";

const rows = 2047;
const table = (sine: boolean): Node => rotaryTable({ rows, dim: 256, theta: 1e4, factor: 1, sine });

test("a table has the roundings of C in single precision", () => {
  const [cos, sin] = evaluateNodes([table(false), table(true)]).map((t) => t.data);
  // Of these the nearest float is another.
  assert.is(cos![4 * 128 + 22], Math.fround(0.681189775));
  assert.is(sin![1 * 128 + 10], Math.fround(0.46794799));
  assert.is(sin![2046 * 128 + 81], Math.fround(-0.259371966));
  assert.is(cos![2046 * 128 + 86], Math.fround(-0.488946289));
});

test("sizes that make no table are refused", () => {
  const refused = (dim: number, theta: number) => () => rotaryTable({ rows: 4, dim, theta, factor: 1, sine: true });
  assert.throws(refused(3, 1e4), /rows, theta and factor must be positive, and dim even/);
  assert.throws(refused(4, 0), /rows, theta and factor must be positive, and dim even/);
});

test.run();
