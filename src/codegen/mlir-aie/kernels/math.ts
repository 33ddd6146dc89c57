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

/** Above this exponent the reciprocal of 1 + exp(x) is 0 in all but name, and 1 + exp(x) is still finite. */
const large = 80;

/** 1 / (1 + exp(-x)), f32. */
export function sigmoid(b: Body, x: Value): Value {
  const y = b.narrow(b.sub(b.splat(0, x.type), x));
  const power = b.wide(b.unary("math.exp", b.min(y, b.splat(large, y.type))));
  return reciprocal(b, b.add(power, b.splat(1, x.type)));
}

/** x sigmoid(x), f32. */
export const silu = (b: Body, x: Value): Value => b.mul(x, sigmoid(b, x));

/** GELU in its tanh form, f32: (1 + tanh u) / 2 = sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3). */
export function geluTanh(b: Body, x: Value): Value {
  const twice = 2 * Math.sqrt(2 / Math.PI);
  const cubic = b.add(b.mul(b.mul(x, x), b.splat(twice * 0.044715, x.type)), b.splat(twice, x.type));
  return b.mul(x, sigmoid(b, b.mul(x, cubic)));
}
