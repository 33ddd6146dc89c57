/** Kernels of `linear` in the simulator of the array, against sums in f64 of the same rounded operands. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { columnsOf } from "../../../src/codegen/mlir-aie/kernels/column-values.ts";
import type { GemmShape } from "../../../src/codegen/mlir-aie/kernels/gemm-shape.ts";
import { linearKernel } from "../../../src/codegen/mlir-aie/kernels/linear.ts";
import * as ir from "../../../src/ir/index.ts";
import { aieMachine } from "../../../src/targets/aie-machine.ts";
import { phoenix } from "./kernels.ts";
import { expected, whole } from "./products.ts";
import { random, relativeError, runKernel } from "./run.ts";

const bf16: readonly [string, GemmShape, number][] = [
  // Sums are f32; a result in bf16 is rounded once, to 2^-9 of its size.
  ["a decode step", { m: 1, k: 64, n: 192, type: "bf16", out: "f32", bias: true }, 1e-5],
  [
    "a decode step in several rounds and steps of K",
    { m: 1, k: 768, n: 1000, type: "bf16", out: "f32", bias: true },
    1e-5,
  ],
  [
    "a ragged grid with GELU",
    { m: 30, k: 64, n: 60, type: "bf16", out: "bf16", bias: true, activation: "geluTanh" },
    2 ** -7,
  ],
  ["a grid in several blocks", { m: 300, k: 256, n: 520, type: "bf16", out: "f32", bias: true }, 1e-5],
  // Sums are rounded to 2^-9 once in each of many steps of K.
  ["sums in bf16", { m: 64, k: 1024, n: 256, type: "bf16", out: "bf16", bias: true, sums: "bf16" }, 2 ** -6],
  ["rows without bias", { m: 16, k: 128, n: 64, type: "bf16", out: "bf16", bias: false }, 2 ** -8],
];
for (const [name, shape, bound] of bf16)
  test(`${name}: ${shape.m} x ${shape.k} x ${shape.n}, within ${bound.toExponential(1)} of the largest result`, () => {
    const [x, w, b] = [random([shape.m, shape.k], 1), random([shape.n, shape.k], 2), random([shape.n], 3)];
    const plan = linearKernel(phoenix, shape, { name: "linear", about: [] });
    const { out } = runKernel(plan, [x, w], [shape.m, shape.n], shape.bias ? { bias: b } : {});
    const error = relativeError(out, expected(shape, x.data, w.data, shape.bias ? b.data : undefined));
    assert.ok(error <= bound, `relative error ${error}`);
  });

for (const type of ["i8", "i4"] as const)
  test(`int8 rows with ${type} weights are exact`, () => {
    for (const [m, k, n] of [
      [32, 64, 64],
      [1, 128, 200],
      [50, 256, 130],
    ] as const) {
      const shape: GemmShape = { m, k, n, type, out: "i32", bias: false };
      const x = random([m, k], 4);
      const [left, right] = [whole(x, 127), whole(random([n, k], 5), type === "i4" ? 7 : 127)];
      const { out } = runKernel(linearKernel(phoenix, shape, { name: "linear", about: [] }), [left, right], [m, n]);
      assert.equal(out, Float32Array.from(expected(shape, left.data, right.data, undefined)), `${m} x ${k} x ${n}`);
    }
  });

/** A layer in fixed point with a result in floats: what the interpreter makes of it, and a core. */
function scaledLayer(dtype: "i8" | "u16", type: "i8" | "i4", m: number, k: number, n: number, machine = phoenix) {
  const encoding =
    dtype === "i8"
      ? { dtype, scale: Math.fround(0.011), offset: 37 }
      : { dtype, scale: Math.fround(0.00004), offset: -29011 };
  const bits = type === "i4" ? 4 : 8;
  const [x, w, b] = [random([m, k], 21), random([n, k], 22), random([n], 23)];
  const [xn, wn, bn] = [ir.input("x", "f32", m, k), ir.input("w", "f32", n, k), ir.input("b", "f32", n)];
  const scales = ir.weightScales(wn, { bits });
  const wq = ir.quantizeWeight(wn, scales, { bits });
  const bq = ir.quantizeBias(bn, scales, { xScale: encoding.scale });
  const y = ir.quantizedLinear(ir.quantize(xn, encoding), wq, scales, bq, { dtype: "f32", scale: 1, offset: 0 });
  const { starts, scales: factors, largest } = columnsOf(y);
  const g = ir.graph("g", { inputs: [xn, wn, bn], outputs: [y, wq, largest, factors, ...starts] });
  const given = { x: x.data, w: w.data, b: b.data };
  const [answer, weights, most, factor, ...columns] = ir.evaluate(g, { inputs: given }).outputs;
  const shape: GemmShape = { m, k, n, type, out: "f32", bias: false, rowBytes: dtype === "i8" ? 1 : 2 };
  const plan = linearKernel(machine, shape, { name: "linear", about: [] });
  const buffers = plan.buffers.map((p) => (p.holds === 0 ? { ...p, fixed: encoding } : p));
  const tensor = (t: { readonly data: ArrayLike<number> }, ...own: number[]) => ({
    shape: own,
    data: Int32Array.from(t.data),
  });
  const floats = ({ data }: { readonly data: ArrayLike<number> }) => ({ shape: [n], data: Float32Array.from(data) });
  const { out } = runKernel({ ...plan, buffers }, [x, tensor(weights!, n, k)], [m, n], {
    starts: columns.map((c) => tensor(c, n)),
    scales: floats(factor!),
    largest: floats(most!),
  });
  return { out, answer: Float32Array.from(answer!.data), plan, largest: most!.data };
}

for (const dtype of ["i8", "u16"] as const)
  for (const type of ["i8", "i4"] as const)
    test(`rows in ${dtype} with ${type} weights and scales on the core: every bit of the interpreter's floats`, () => {
      for (const [m, k, n, device] of [
        [1, 128, 200, "npu1"],
        [30, 64, 60, "npu1"],
        [50, 1024, 130, "npu1"],
        [1, 128, 200, "npu2"],
        [40, 64, 130, "npu2"],
      ] as const) {
        const { out, answer } = scaledLayer(dtype, type, m, k, n, aieMachine(device)!);
        assert.ok(new Set(answer).size > n / 2);
        assert.equal(out, answer, `${device}: ${m} x ${k} x ${n}`);
      }
    });

for (const dtype of ["i8", "u16"] as const)
  test(`sums of any size become the nearest floats, with rows in ${dtype}`, () => {
    const [m, k, n] = [32, 64, 256];
    const rowBytes = dtype === "i8" ? 1 : 2;
    const shape: GemmShape = { m, k, n, type: "i8", out: "f32", bias: false, rowBytes };
    const plan = linearKernel(phoenix, shape, { name: "linear", about: [] });
    const w = whole(random([n, k], 31), 127);
    // Every core has columns of its own size: at the edge of small, above it, where floats are coarse, at the ends of i32.
    const sizes = [0, 2 ** 22, 2 ** 22 + 300, 2 ** 24, 2 ** 27, 2 ** 31];
    const products = Array.from({ length: n }, (_, j) => {
      const row = w.data.subarray(j * k, (j + 1) * k);
      return 128 * row.reduce((sum, x) => sum + Math.abs(x), 0);
    });
    const size = (j: number) => sizes[Math.floor(j / 16) % sizes.length]!;
    const starts = Array.from({ length: rowBytes }, (_, byte) => ({
      shape: [n],
      // The high byte's sum, and what the low one carries into it, fit 32 bits.
      data: Int32Array.from(products, (p, j) => {
        const room = Math.max(0, Math.min(size(j), 2 ** 31 - 1 - 2 ** 24) - p);
        return ((j + byte) % 2 ? -1 : 1) * (room - (j % 7));
      }),
    }));
    const largest = { shape: [n], data: Float32Array.from(products, (p, j) => p + Math.abs(starts[0]!.data[j]!) + 6) };
    const bytes = Array.from({ length: rowBytes }, (_, byte) => whole(random([m, k], 32 + byte), 128));
    for (const { data } of bytes) for (const i of data.keys()) data[i] = i < k ? -128 : Math.min(127, data[i]!);
    const [high, low] = bytes;
    const x = {
      shape: [m, k],
      data: low ? Float32Array.from(high!.data, (h, i) => 256 * (h + 128) + low.data[i]! + 128) : high!.data,
    };
    const fixed = { dtype: "u16", scale: 1, offset: 0 } as const;
    const buffers = plan.buffers.map((p) => (p.holds === 0 && low ? { ...p, fixed } : p));
    const scales = random([n], 34);
    const { out } = runKernel({ ...plan, buffers }, [x, w], [m, n], { starts, scales, largest });
    const [sums, lower] = bytes.map((b) => expected(shape, b.data, w.data, undefined));
    const answer = Float32Array.from(sums!, (s, i) => {
      const first = s + starts[0]!.data[i % n]!;
      const sum = lower ? 256 * first + lower[i]! + starts[1]!.data[i % n]! : first;
      return Math.fround(Math.fround(sum) * scales.data[i % n]!);
    });
    assert.equal(out, answer);
    // Some are rounded, and some are small in a core whose columns all are.
    assert.ok(products.slice(0, 16).every((p) => p < 2 ** 22));
  });

test("sums of int8 that become int8 are rounded, ties up, and saturated, exactly", () => {
  const [m, k, n, shift] = [40, 128, 130, 9];
  const [left, right] = [whole(random([m, k], 6), 127), whole(random([n, k], 7), 127)];
  const shape: GemmShape = { m, k, n, type: "i8", out: "i8", shift, bias: false };
  const { out } = runKernel(linearKernel(phoenix, shape, { name: "linear", about: [] }), [left, right], [m, n]);
  const sums = expected(shape, left.data, right.data, undefined);
  const rounded = Float32Array.from(sums, (v) => Math.min(127, Math.max(-128, Math.floor(v / 2 ** shift + 0.5))));
  assert.ok(rounded.includes(127) && rounded.includes(-128) && new Set(rounded).size > 200);
  assert.equal(out, rounded);
});

test("npu2 has other blocks and twice the columns", () => {
  const strix = aieMachine("npu2")!;
  for (const [m, k, n] of [
    [30, 64, 200],
    [1, 64, 300],
  ] as const) {
    const shape: GemmShape = { m, k, n, type: "bf16", out: "f32", bias: true };
    const [x, w, b] = [random([m, k], 1), random([n, k], 2), random([n], 3)];
    const plan = linearKernel(strix, shape, { name: "linear", about: [] });
    assert.is(plan.design.cores.length, 32);
    const error = relativeError(
      runKernel(plan, [x, w], [m, n], { bias: b }).out,
      expected(shape, x.data, w.data, b.data),
    );
    assert.ok(error <= 1e-5, `relative error ${error}`);
  }
});

test("a norm before a product, and GELU after it, within 2^-6 of the largest result", () => {
  for (const [m, k, n, centred, activation, device] of [
    [1, 64, 192, true, undefined, "npu2"],
    [30, 192, 200, true, "geluTanh", "npu2"],
    [40, 64, 300, false, undefined, "npu2"],
    [1, 64, 192, true, undefined],
    [30, 192, 200, true, "geluTanh"],
    [5, 256, 96, false, undefined],
    [64, 768, 256, true, undefined],
  ] as const) {
    const shape: GemmShape = {
      m,
      k,
      n,
      type: "bf16",
      out: "f32",
      bias: true,
      activation,
      norm: { centred, eps: 1e-5 },
    };
    const [x, w, b] = [random([m, k], 1), random([n, k], 2), random([n], 3)];
    x.data.forEach((v, i) => {
      x.data[i] = 3 * v + 0.5;
    });
    w.data.forEach((v, i) => {
      w.data[i] = v / 8;
    });
    const plan = linearKernel(device ? aieMachine(device)! : phoenix, shape, { name: "linear", about: [] });
    const { out } = runKernel(plan, [x, w], [m, n], { bias: b });
    const [xn, wn, bn] = [ir.input("x", "f32", m, k), ir.input("w", "f32", n, k), ir.input("b", "f32", n)];
    const rows = centred ? ir.normalize(xn, { eps: 1e-5 }) : ir.rmsNorm(xn, { eps: 1e-5 });
    const y = ir.linear(rows, wn, bn);
    const g = ir.graph("g", { inputs: [xn, wn, bn], outputs: [activation ? ir.geluTanh(y) : y] });
    const expected = ir.evaluate(g, { inputs: { x: x.data, w: w.data, b: b.data } }).outputs[0]!;
    const error = relativeError(out, expected.data);
    assert.ok(error <= 2 ** -6, `${device ?? "npu1"}: ${m} x ${k} x ${n}: relative error ${error}`);
  }
});

test.run();
