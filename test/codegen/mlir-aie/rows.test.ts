/** Kernels on rows in the simulator of the array, against the interpreter. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type RowShape, rowKernel } from "../../../src/codegen/mlir-aie/kernels/rows.ts";
import type { RowOp } from "../../../src/codegen/mlir-aie/kernels/rows-core.ts";
import * as ir from "../../../src/ir/index.ts";
import { phoenix } from "./kernels.ts";
import { random, relativeError, runKernel, type Tensor } from "./run.ts";

type Build = (x: ir.Node, y: ir.Node, z: ir.Node) => ir.Node;

/** What each kernel computes, and how far from it its results may be, as a part of the largest: bf16 is rounded to 2^-9. */
const kernels: Readonly<Record<Exclude<RowOp, "rope">, readonly [Build, bound: number]>> = {
  layerNorm: [(x, y, z) => ir.layerNorm(x, y, z, { eps: 1e-5 }), 2 ** -7],
  normalize: [(x) => ir.normalize(x, { eps: 1e-5 }), 2 ** -7],
  rmsNorm: [(x, y) => ir.rmsNorm(x, y, { eps: 1e-5 }), 2 ** -7],
  // A value near 5 is off by 2^-7 as bf16, and its exponential by as much of itself.
  softmax: [(x) => ir.softmax(x), 2 ** -5],
  geluTanh: [(x) => ir.geluTanh(x), 2 ** -7],
  silu: [(x) => ir.silu(x), 2 ** -7],
  add: [(x, y) => ir.add(x, y), 2 ** -7],
  siluGate: [(x, y) => ir.mul(ir.silu(x), y), 2 ** -7],
  geluGate: [(x, y) => ir.mul(ir.geluTanh(x), y), 2 ** -7],
};
const parameters: Readonly<Partial<Record<RowOp, number>>> = { layerNorm: 2, rmsNorm: 1 };
const sizes: readonly (readonly [rows: number, width: number])[] = [
  [1, 64],
  [30, 192],
  [128, 768],
];

function check(
  shape: RowShape,
  operands: readonly Tensor[],
  bound: number,
  build: (nodes: ir.Node[]) => ir.Node,
): void {
  const plan = rowKernel(phoenix, shape, { name: shape.op.toLowerCase(), about: [] });
  const names = ["x", "y", "z"];
  const nodes = operands.map((t, i) => ir.input(names[i]!, "f32", ...t.shape));
  const g = ir.graph("g", { inputs: nodes, outputs: [build(nodes)] });
  const inputs = Object.fromEntries(operands.map((t, i) => [names[i]!, t.data]));
  const expected = ir.evaluate(g, { inputs }).outputs[0]!;
  const count = parameters[shape.op] ?? 0;
  const { out } = runKernel(plan, operands, expected.shape, count === 2 ? { bias: operands[2]! } : {});
  const error = relativeError(out, expected.data);
  assert.ok(error <= bound, `${shape.rows} x ${shape.width}: relative error ${error}`);
}

for (const [op, [build, bound]] of Object.entries(kernels) as [RowOp, readonly [Build, number]][])
  test(`${op} within ${bound} of its largest result`, () => {
    for (const [rows, width] of sizes) {
      const x = random([rows, width], 1);
      // Activations have their bends between -4 and 4, a norm a mean to take away.
      x.data.forEach((v, i) => {
        x.data[i] = 4 * v + 1;
      });
      const vector = parameters[op] !== undefined;
      const more = [2, 3].map((seed) => random(vector ? [width] : [rows, width], seed));
      const count = parameters[op] ?? (op === "add" || op.endsWith("Gate") ? 1 : 0);
      check({ op, rows, width, eps: 1e-5 }, [x, ...more.slice(0, count)], bound, (n) => build(n[0]!, n[1]!, n[2]!));
    }
  });

test("rope turns heads that lie side by side, within 2^-7 of its largest result", () => {
  for (const [rows, heads, dim] of [
    [1, 2, 64],
    [24, 3, 64],
    [16, 4, 256],
  ] as const) {
    const operands = [random([rows, heads * dim], 1), random([rows, dim / 2], 2), random([rows, dim / 2], 3)];
    check({ op: "rope", rows, width: heads * dim, dim }, operands, 2 ** -7, ([x, cos, sin]) =>
      ir.mergeHeads(ir.rope(ir.splitHeads(x!, { heads }), cos!, sin!)),
    );
  }
});

test("what the vector unit cannot take is refused", () => {
  const plan = (s: RowShape) => rowKernel(phoenix, s, { name: "rows", about: [] });
  assert.throws(
    () => plan({ op: "softmax", rows: 4, width: 50 }),
    /softmax of 4 rows of 50: .*do not divide 50\n {2}try: pad/,
  );
  assert.throws(() => plan({ op: "add", rows: 4, width: 8192 }), /a row takes 98304 bytes, more than a core has/);
  assert.throws(
    () => plan({ op: "rope", rows: 4096, width: 1024, dim: 256 }),
    /turns, for whose angles .* rows at a time/s,
  );
});

test.run();
