/** Wrong graphs and rules do not compile. The compiler checks this file; at run time only the last test has work to do. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  add,
  attention,
  concat,
  exp,
  gather,
  input,
  layerNorm,
  linear,
  type Node,
  rule,
  slice,
  softmax,
  v,
} from "../../src/ir/index.ts";

const x: Node = input("x", "f32", 4, 4);

/** Never called. */
export function wrong(): void {
  // @ts-expect-error two operands
  add(x);
  // @ts-expect-error one operand
  exp(x, x);
  // @ts-expect-error a list
  concat(x, { axis: 0 });
  // @ts-expect-error scale has no default
  attention(x, x, x);
  // @ts-expect-error scale has no default
  attention(x, x, x, { window: 4 });
  // @ts-expect-error no such attribute
  softmax(x, { axs: 0 });
  // @ts-expect-error another type
  slice(x, { axis: "last", start: 0, size: 1 });
  // @ts-expect-error an op without attributes
  exp(x, {});

  // @ts-expect-error no such capture
  rule("r", add.pat(v("a"), v("b")), ({ c }) => c);
  // @ts-expect-error one operand pattern too few
  add.pat(v("a"));
  // @ts-expect-error attributes of a capture are typed
  rule("r", softmax.pat(v("x")).as("s"), ({ s, x: y }) => layerNorm(y, y, y, { eps: s.attrs.eps }));
}

/** Right ones, with what may be left out. */
export const right = [
  () => linear(x, x),
  () => linear(x, x, x),
  () => softmax(x),
  () => gather(x, x, { axis: 1 }),
  () => attention(x, x, x, { scale: 1 }),
  () => concat([x, x], { axis: 0 }),
  () => rule("r", linear.pat(v("x"), v("w"), v("b")).as("l"), ({ l, b }) => add(l, b)),
  () => rule("r", softmax.pat(v("x")).as("s"), ({ s, x: y }) => softmax(y, { axis: s.attrs.axis })),
];

test("defaults are filled in", () => {
  assert.equal(softmax(x).attrs, { axis: -1 });
  assert.equal(
    attention(input("q", "f32", 1, 2, 4), input("k", "f32", 1, 2, 4), input("v", "f32", 1, 2, 4), { scale: 2 }).attrs,
    {
      scale: 2,
      causal: true,
      window: 0,
    },
  );
});

test.run();
