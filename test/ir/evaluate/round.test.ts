/** Rounding to f16 and bf16, against the list of all numbers that the formats have. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBf16, encodeF16, roundTo } from "../../../src/ir/index.ts";
import { bf16ToF32, f16ToF32 } from "../../../src/weights/half.ts";

const everyHalf = f16ToF32(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));

/** Numbers around every f16: itself, the midpoint to the next, and the nearest f32 on both sides of that. */
function probes(): { value: number; nearest: number }[] {
  const found: { value: number; nearest: number }[] = [];
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  const step = (x: number, by: number): number => {
    float[0] = x;
    bits[0]! += by;
    return float[0]!;
  };
  for (let i = 0; i + 1 < everyHalf.length; i++) {
    const [low, high] = [everyHalf[i]!, everyHalf[i + 1]!];
    const middle = (low + high) / 2;
    // The even one of two neighbours is the one whose code is even.
    found.push({ value: low, nearest: low }, { value: middle, nearest: i % 2 ? high : low });
    found.push({ value: step(middle, -1), nearest: low }, { value: step(middle, 1), nearest: high });
  }
  return found.flatMap(({ value, nearest }) => [
    { value, nearest },
    { value: -value, nearest: -nearest },
  ]);
}

const all = probes();
const specials = [65504, 65519.996, 65520, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
const rounded = [
  65504,
  65504,
  Number.POSITIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];

test("f32 to f16 rounds to nearest even everywhere", () => {
  const data = Float32Array.from([...all.map((p) => p.value), ...specials]);
  const expected = [...all.map((p) => p.nearest), ...rounded];
  const bits = encodeF16(data);
  roundTo(data, "f16");
  const decoded = f16ToF32(bits);
  for (let i = 0; i < data.length; i++) {
    if (!Object.is(data[i], expected[i])) assert.is(data[i], expected[i], `roundTo, number ${i}`);
    if (!Object.is(decoded[i], expected[i])) assert.is(decoded[i], expected[i], `encodeF16, number ${i}`);
  }
});

test("f64 to f16 rounds once, not by way of f32", () => {
  const data = Float64Array.from([...all.map((p) => p.value), ...specials, 1 + 2 ** -11 + 2 ** -40]);
  const expected = [...all.map((p) => p.nearest), ...rounded, 1 + 2 ** -10];
  roundTo(data, "f16");
  for (let i = 0; i < data.length; i++)
    if (!Object.is(data[i], expected[i])) assert.is(data[i], expected[i], `number ${i}`);
});

test("bf16 keeps the upper half of an f32, rounded to nearest even", () => {
  const values = [1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -Math.PI, 3.4e38, 2 ** -133, 0, Number.NaN];
  const expected = [1, 1, 1 + 2 ** -6, 1 + 2 ** -7, -3.140625, Number.POSITIVE_INFINITY, 2 ** -133, 0, Number.NaN];
  const data = Float32Array.from(values);
  assert.equal([...bf16ToF32(encodeBf16(data))], expected);
  roundTo(data, "bf16");
  assert.equal([...data], expected);
  const wide = Float64Array.from(values);
  roundTo(wide, "bf16");
  assert.equal([...wide], expected);
});

test("wider types and integers are left alone", () => {
  const data = Float64Array.of(1 / 3);
  roundTo(data, "f32");
  assert.is(data[0], 1 / 3);
  const integers = Int32Array.of(70000);
  roundTo(integers, "f16");
  assert.is(integers[0], 70000);
});

test.run();
