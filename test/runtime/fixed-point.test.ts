/** Fixed point on the reference backend equals the interpreter bit for bit, on every instruction set of this machine. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { withGraph } from "../../src/cli/support/run-graph.ts";
import * as ir from "../../src/ir/index.ts";
import { openBackend } from "../../src/runtime/libraries.ts";
import type { WeightSource } from "../../src/weights/source.ts";
import { noise } from "../ir/examples/example.ts";

const weights: WeightSource = {
  name: "noise",
  fingerprint: "noise",
  check: () => {},
  read: (name, shape) =>
    Float32Array.from(
      noise(
        shape.reduce((n, d) => n * d, 1),
        name.length,
      ),
    ),
  close: () => {},
};
/** The instruction sets of this machine. */
const simds = (process.arch === "x64" ? (["scalar", "avx2", "avx512"] as const) : (["scalar", "neon"] as const)).filter(
  (simd) => {
    try {
      openBackend("reference", undefined, { simd }).close();
      return true;
    } catch (e) {
      if (!(e as Error).message.includes("not available on this machine")) throw e;
      return false;
    }
  },
);

/** What an interpreter and a backend make of a graph, on each instruction set there is. */
async function agree(g: ir.Graph, inputs: Record<string, readonly number[]>, what: string): Promise<void> {
  const params = (name: string, type: ir.TensorType) => weights.read(name, ir.staticShape(type.shape));
  const expected = ir.evaluate(g, { inputs, params }).outputs;
  for (const simd of simds)
    await withGraph(
      g,
      weights,
      async (run) => {
        const actual = await run(inputs);
        for (const [i, { data }] of expected.entries()) {
          const at = data.findIndex((x, k) => !Object.is(x, actual[i]![k]));
          assert.is(at, -1, `${what}, ${simd}, output ${i}: element ${at} is ${actual[i]![at]}, not ${data[at]}`);
        }
      },
      { simd },
    );
}

const encodings = [
  { dtype: "u16", scale: Math.fround(0.00011), offset: -31000 },
  { dtype: "u8", scale: Math.fround(0.011), offset: -119 },
  { dtype: "i8", scale: Math.fround(0.013), offset: 0 },
] as const;

/** A layer of made-up weights, from the given encoding to the next one. */
function layer(
  rows: number,
  inner: number,
  outer: number,
  bits: number,
  from: (typeof encodings)[number],
  bias: boolean,
) {
  const x = ir.input("x", "f32", rows, inner);
  const w = ir.param({ name: `w${inner}x${outer}`, dtype: "f32", shape: [outer, inner] });
  const scales = ir.weightScales(w, { bits });
  const wq = ir.quantizeWeight(w, scales, { bits });
  const b = ir.param({ name: `b${outer}`, dtype: "f32", shape: [outer] });
  const to = { ...encodings[(encodings.indexOf(from) + 1) % 3]! };
  const operands = [
    ir.quantize(x, from),
    wq,
    scales,
    ...(bias ? [ir.quantizeBias(b, scales, { xScale: from.scale })] : []),
  ];
  const y = ir.quantizedLinear.build(operands, to);
  const floats = ir.quantizedLinear.build(operands, { dtype: "f32", scale: 1, offset: 0 });
  return ir.graph("layer", { inputs: [x], outputs: [y, ir.dequantize(y), floats] });
}

/** The same with weights of 4 bits whose blocks have scales of their own: once as they are, once expanded to 8 bits. */
function layerInBlocks(
  rows: number,
  inner: number,
  outer: number,
  blockSize: number,
  from: (typeof encodings)[number],
) {
  const x = ir.input("x", "f32", rows, inner);
  const w = ir.param({ name: `w${inner}x${outer}`, dtype: "f32", shape: [outer, inner] });
  const scales = ir.weightScales(w, { bits: 4, method: "mse", blockSize });
  const blocks = ir.blockScales(w, scales, { blockSize });
  const wq = ir.quantizeWeight(w, scales, blocks, { bits: 4 });
  const b = ir.quantizeBias(ir.param({ name: `b${outer}`, dtype: "f32", shape: [outer] }), scales, {
    xScale: from.scale,
  });
  const to = { ...encodings[(encodings.indexOf(from) + 1) % 3]! };
  const y = ir.blockQuantizedLinear(ir.quantize(x, from), wq, scales, blocks, b, to);
  return ir.graph("layer", { inputs: [x], outputs: [y, y.op.expand(y)] });
}

for (const rows of [1, 2, 5, 33])
  for (const [inner, outer, blockSize] of [
    [64, 40, 32],
    [192, 21, 64],
    [640, 17, 128],
  ] as const)
    test(`linear ${rows}x${inner} by ${outer} in blocks of ${blockSize}`, async () => {
      for (const [i, from] of encodings.entries())
        await agree(
          layerInBlocks(rows, inner, outer, blockSize, from),
          { x: noise(rows * inner, rows + i).map((v) => 2 * v) },
          from.dtype,
        );
    });

// Rows on both sides of every block of the kernel, and sums that do not fill a vector.
for (const rows of [1, 2, 3, 5, 8, 33])
  for (const [inner, outer] of [
    [7, 3],
    [64, 40],
    [197, 70],
  ] as const)
    test(`linear ${rows}x${inner} by ${outer}`, async () => {
      for (const [i, from] of encodings.entries())
        await agree(
          layer(rows, inner, outer, i % 2 ? 4 : 8, from, i !== 1),
          { x: noise(rows * inner, rows + i).map((v) => 2 * v) },
          from.dtype,
        );
    });

test("a sum longer than 32 bits can hold at once", async () => {
  // All operands at their largest: 20,000 products of 65,535 and 127, above 2^37.
  const inner = 20_000;
  const x = ir.input("x", "f32", 2, inner);
  const w = ir.constant({
    dtype: "i8",
    shape: [3, inner],
    values: Array.from({ length: 3 * inner }, (_, i) => (i < inner ? 127 : -128)),
  });
  const scales = ir.constant({ dtype: "f32", shape: [3], values: [1, 1, 0.5] });
  const xq = ir.quantize(x, { dtype: "u16", scale: 1, offset: 0 });
  const y = ir.quantizedLinear(xq, w, scales, { dtype: "u16", scale: 2 ** 22, offset: -32768 });
  const floats = ir.quantizedLinear(xq, w, scales, { dtype: "f32", scale: 1, offset: 0 });
  await agree(ir.graph("long", { inputs: [x], outputs: [y, floats] }), { x: Array(2 * inner).fill(65535) }, "long");
});

test("quantize and dequantize every kind of number", async () => {
  const special = [0, -0, 1e30, -1e30, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40];
  // Halves between two integers, where rounding modes differ.
  const halves = encodings.flatMap(({ scale }) => [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5].map((v) => Math.fround(v * scale)));
  const values = [...special, ...halves, ...noise(1000, 5).map((v) => Math.fround(4 * v))];
  const x = ir.input("x", "f32", values.length);
  const outputs = encodings.flatMap((e) => {
    const q = ir.quantize(x, e);
    return [q, ir.dequantize(q), ...encodings.filter((o) => o !== e).map((o) => ir.requantize(q, o))];
  });
  await agree(ir.graph("all", { inputs: [x], outputs }), { x: values }, "quantize");
});

const [inEight, inSixteen] = [
  { dtype: "i8", scale: Math.fround(0.02), offset: 0 },
  { dtype: "u16", scale: Math.fround(0.0001), offset: -32768 },
] as const;
for (const [what, ofValues] of [
  ["8 bits", inEight],
  ["8 bits, values in 16", inSixteen],
] as const)
  test(`attention over caches in ${what}: those that are filled, from any position`, async () => {
    const [heads, groups, dim, places, rows] = [4, 2, 8, 96, 3];
    const cache = (name: string, encoding: typeof ofValues, ...shape: number[]) =>
      ir.inputOp.build([], { shape, ...encoding }, { name });
    const q = ir.input("q", "f32", heads, rows, dim);
    const position = ir.input("position", "i32", 1);
    const slices = { k: ir.input("ks", "f32", groups, dim, rows), v: ir.input("vs", "f32", groups, rows, dim) };
    const caches = { k: cache("k", inEight, groups, dim, places), v: cache("v", ofValues, groups, places, dim) };
    const k = ir.kvAppend(caches.k, ir.quantize(slices.k, inEight), position, { axis: 2 });
    const v = ir.kvAppend(caches.v, ir.quantize(slices.v, ofValues), position, { axis: 1 });
    const g = ir.graph("cached", {
      inputs: [q, slices.k, slices.v, position, caches.k, caches.v],
      outputs: [ir.flashCachedAttention(q, k, v, position, { scale: 0.3 })],
      state: [
        { cache: caches.k, next: k },
        { cache: caches.v, next: v },
      ],
    });
    ir.verify(g);
    assert.is(ir.print(ir.parse(ir.print(g))), ir.print(g));
    const integers = (seed: number, { scale, offset }: typeof ofValues) =>
      noise(groups * dim * places, seed).map((x) => Math.round((2.5 * x) / scale) - offset);
    for (const at of [0, 1, 40, places - rows]) {
      const inputs = {
        q: noise(heads * rows * dim, 1),
        ks: noise(groups * dim * rows, 2).map((x) => 3 * x),
        vs: noise(groups * dim * rows, 3),
        k: integers(4, inEight),
        v: integers(5, ofValues),
        position: [at],
      };
      const [expected] = ir.evaluate(g, { inputs }).outputs;
      for (const simd of simds)
        await withGraph(
          g,
          weights,
          async (run) => {
            const [actual] = await run(inputs);
            const error = [...expected!.data].reduce((m, x, i) => Math.max(m, Math.abs(x - actual![i]!)), 0);
            assert.ok(error < 1e-5, `${simd}, position ${at}: ${error}`);
          },
          { simd },
        );
    }
  });

test.run();
