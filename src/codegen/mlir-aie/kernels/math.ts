/**
 * Functions that AIE2 has no instruction for, on 16 lanes, from exp and rsqrt of bf16 and one Newton step in f32: about 1e-4
 * relative, less than bf16 itself. The results of exp and rsqrt are bf16, so what goes in is rounded to 8 bits first.
 */
import { type Body, type Value, vec } from "../body.ts";

export const f32x16 = vec("f32", 16);
export const bf16x16 = vec("bf16", 16);

/** 1 / x for x > 0, f32. */
export function reciprocal(b: Body, x: Value): Value {
  const root = b.wide(b.unary("math.rsqrt", b.narrow(x)));
  const guess = b.mul(root, root);
  return b.mul(guess, b.sub(b.splat(2, x.type), b.mul(x, guess)));
}

/** 1 / sqrt(x) for x > 0, f32. */
export function inverseRoot(b: Body, x: Value): Value {
  const guess = b.wide(b.unary("math.rsqrt", b.narrow(x)));
  const half = b.mul(b.mul(x, b.splat(0.5, x.type)), b.mul(guess, guess));
  return b.mul(guess, b.sub(b.splat(1.5, x.type), half));
}

/** exp(x) of f32 lanes, as f32 with the precision of bf16. */
export const exponential = (b: Body, x: Value): Value => b.wide(b.unary("math.exp", b.narrow(x)));

/**
 * 1 / x for x > 0, f32, within 2^-9.5: the bits of x, as an integer taken from a constant, are those of a guess within 5%, and one Newton
 * step, whose constant spreads what is left over both sides, does the rest. Both constants by search over a mantissa.
 */
export function quickReciprocal(b: Body, x: Value): Value {
  const integers = x.type.replace("f32", "i32");
  const bits = b.convert("vector.bitcast", x, integers, "bits");
  const guess = b.convert("vector.bitcast", b.sub(b.splat(0x7ef31000, integers), bits), x.type, "guess");
  return b.mul(guess, b.sub(b.splat(2.00131, x.type), b.mul(x, guess)));
}

/** Above this exponent the reciprocal of 1 + exp(x) is 0 in all but name, and 1 + exp(x) is still finite. */
const large = 80;

/** 1 / (1 + exp(y)) of bf16 lanes, f32. */
function inverseOfOneAndExp(b: Body, y: Value, inverse: (b: Body, x: Value) => Value): Value {
  const power = b.wide(b.unary("math.exp", b.min(y, b.splat(large, y.type))));
  return inverse(b, b.add(power, b.splat(1, power.type)));
}

/** x / (1 + exp(-x)), f32. */
export function silu(b: Body, x: Value): Value {
  return b.mul(x, inverseOfOneAndExp(b, b.narrow(b.sub(b.splat(0, x.type), x)), reciprocal));
}

/** GELU in its tanh form, f32: (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)) with u = sqrt(2 / pi) (x + 0.044715 x^3). */
export function geluTanh(b: Body, x: Value): Value {
  const cubic = b.add(b.mul(b.mul(x, x), b.splat(-twice * 0.044715, x.type)), b.splat(-twice, x.type));
  return b.mul(x, inverseOfOneAndExp(b, b.narrow(b.mul(x, cubic)), reciprocal));
}

/** The same in half of the time, for what waits for it, within 2^-8: the polynomial has factors in bf16, in which exp takes it in any case. */
export function quickGeluTanh(b: Body, x: Value): Value {
  const y = halved(b, x);
  const square = b.mul(halved(b, b.mul(y, y)), b.wide(b.splat(-twice * 0.044715, x.type.replace("f32", "bf16"))));
  const cubic = halved(b, b.add(square, b.splat(-twice, x.type)));
  return b.mul(x, inverseOfOneAndExp(b, b.narrow(b.mul(y, cubic)), quickReciprocal));
}

const twice = 2 * Math.sqrt(2 / Math.PI);

/** With the precision of bf16, as f32: two of these are one multiplication of the vector unit, and their product is exact. */
const halved = (b: Body, x: Value): Value => b.wide(b.narrow(x));
