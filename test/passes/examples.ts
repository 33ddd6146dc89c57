/**
 * For every rule of every pass, graphs that it matches, in sizes chosen at random. The property test applies the pass to them
 * and compares before and after.
 */

import type { Node } from "../../src/ir/index.ts";
import * as ir from "../../src/ir/index.ts";

/** Small sizes, all different as a rule, so that a transposed or misplaced operand does not pass unseen. */
export interface Sizes {
  readonly tokens: number;
  readonly width: number;
  readonly hidden: number;
  readonly heads: number;
  readonly groups: number;
  readonly dim: number;
}

const x = (...shape: number[]) => ir.input("x", "f32", ...shape);
const other = (...shape: number[]) => ir.input("residual", "f32", ...shape);
const weight = (name: string, ...shape: number[]) => ir.param({ name, dtype: "f32", shape });
const projection = (from: Node, name: string, out: number) =>
  ir.linear(from, weight(`${name}.w`, out, from.type.shape.at(-1) as number), weight(`${name}.b`, out));
const norm = (s: Sizes) =>
  ir.layerNorm(x(s.tokens, s.width), weight("gamma", s.width), weight("beta", s.width), { eps: 1e-5 });
const rms = (s: Sizes) => ir.rmsNorm(x(s.tokens, s.width), weight("gamma", s.width), { eps: 1e-6 });
const feedForward = (s: Sizes, activation: (x: Node) => Node) =>
  projection(activation(projection(x(s.tokens, s.width), "up", s.hidden)), "down", s.width);
const gated = (s: Sizes, activation: (x: Node) => Node, right: boolean) => {
  const from = x(s.tokens, s.width);
  const gate = activation(ir.linear(from, weight("gate.w", s.hidden, s.width)));
  const up = ir.linear(from, weight("up.w", s.hidden, s.width));
  return ir.linear(right ? ir.mul(up, gate) : ir.mul(gate, up), weight("down.w", s.width, s.hidden));
};
const mlp = (s: Sizes, activation: string, residual?: Node, from = x(s.tokens, s.width)) => {
  const [w1, b1] = [weight("w1", s.hidden, s.width), weight("b1", s.hidden)];
  const [w2, b2] = [weight("w2", s.width, s.hidden), weight("b2", s.width)];
  const attrs = { activation };
  return residual ? ir.mlp(from, w1, b1, w2, b2, residual, attrs) : ir.mlp(from, w1, b1, w2, b2, attrs);
};
const scale = 0.3;
const qkv = (s: Sizes, keys: number) =>
  [
    ir.input("q", "f32", s.heads, s.tokens, s.dim),
    ir.input("k", "f32", s.groups, keys, s.dim),
    ir.input("v", "f32", s.groups, keys, s.dim),
  ] as const;
/** Rows of a value by an index that only the caller knows. */
const pick = (n: Node) => ir.gather(n, ir.input("last", "i32", 1), { axis: 0 });

/** By rule: the value whose graph has the rule's pattern. */
export const examples: Readonly<Record<string, (s: Sizes) => Node>> = {
  "fold-norm": (s) => projection(norm(s), "next", s.hidden),
  "fold-norm-without-bias": (s) => ir.linear(norm(s), weight("w", s.hidden, s.width)),
  "fold-norm-mlp": (s) => mlp(s, "gelu", undefined, norm(s)),
  "fold-norm-mlp-add": (s) => mlp(s, "silu", other(s.tokens, s.width), norm(s)),
  "fold-rms-norm": (s) => projection(rms(s), "next", s.hidden),
  "fold-rms-norm-without-bias": (s) => ir.linear(rms(s), weight("w", s.hidden, s.width)),
  "fold-rms-norm-gated-mlp": (s) =>
    ir.gatedMlp(rms(s), weight("w1", 2 * s.hidden, s.width), weight("w2", s.width, s.hidden), { activation: "gelu" }),
  "fuse-mlp-geluTanh": (s) => feedForward(s, ir.geluTanh),
  "fuse-mlp-gelu": (s) => feedForward(s, ir.gelu),
  "fuse-mlp-silu": (s) => feedForward(s, ir.silu),
  "fuse-gated-mlp-geluTanh-left": (s) => gated(s, ir.geluTanh, false),
  "fuse-gated-mlp-geluTanh-right": (s) => gated(s, ir.geluTanh, true),
  "fuse-gated-mlp-gelu-left": (s) => gated(s, ir.gelu, false),
  "fuse-gated-mlp-gelu-right": (s) => gated(s, ir.gelu, true),
  "fuse-gated-mlp-silu-left": (s) => gated(s, ir.silu, false),
  "fuse-gated-mlp-silu-right": (s) => gated(s, ir.silu, true),
  "linear-add-left": (s) => ir.add(projection(x(s.tokens, s.width), "p", s.hidden), other(s.tokens, s.hidden)),
  "linear-add-right": (s) => ir.add(other(s.tokens, s.hidden), projection(x(s.tokens, s.width), "p", s.hidden)),
  "mlp-add-left": (s) => ir.add(mlp(s, "gelu"), other(s.tokens, s.width)),
  "mlp-add-right": (s) => ir.add(other(s.tokens, s.width), mlp(s, "geluTanh")),
  "flash-attention": (s) => ir.attention(...qkv(s, s.tokens + s.hidden), { scale, window: s.width }),
  "flash-cached-attention": (s) => {
    const C = s.tokens + 70;
    const k = ir.input("k", "f32", s.groups, s.dim, C);
    const v = ir.input("v", "f32", s.groups, C, s.dim);
    const q = ir.input("q", "f32", s.heads, s.tokens, s.dim);
    return ir.cachedAttention(q, k, v, ir.input("position", "i32", 1), { scale });
  },
  "f16-linear": (s) => projection(x(s.tokens, s.width), "p", s.hidden),
  "f16-linear-without-bias": (s) => ir.linear(x(s.tokens, s.width), weight("w", s.hidden, s.width)),
  "f16-linear-add": (s) =>
    ir.linearAdd(
      x(s.tokens, s.width),
      weight("w", s.hidden, s.width),
      weight("b", s.hidden),
      other(s.tokens, s.hidden),
    ),
  "f16-mlp": (s) => mlp(s, "silu"),
  "f16-mlp-add": (s) => mlp(s, "none", other(s.tokens, s.width)),
  // Wide enough for rounding errors of single weights not to stand alone.
  "f16-gated-mlp": (s) => {
    const [width, hidden] = [s.width + 8, s.hidden + 8];
    const [w1, w2] = [weight("w1", 2 * hidden, width), weight("w2", width, hidden)];
    return ir.gatedMlp(x(s.tokens, width), w1, w2, { activation: "silu" });
  },
  "f16-table": (s) => ir.gather(weight("table", s.hidden, s.width), ir.input("tokens", "i32", s.tokens)),
  "transpose-transpose": (s) =>
    ir.transpose(ir.transpose(x(s.tokens, s.width, s.dim), { perm: [1, 2, 0] }), { perm: [0, 2, 1] }),
  "transpose-nothing": (s) => ir.exp(ir.transpose(x(s.tokens, s.width), { perm: [0, 1] })),
  "reshape-reshape": (s) =>
    ir.reshape(ir.reshape(x(s.tokens, s.width), { shape: [s.width, s.tokens] }), { shape: [s.tokens * s.width] }),
  "reshape-nothing": (s) => ir.exp(ir.reshape(x(s.tokens, s.width), { shape: [s.tokens, s.width] })),
  "cast-nothing": (s) => ir.exp(ir.cast(x(s.tokens, s.width), { dtype: "f32" })),
  "slice-nothing": (s) => ir.exp(ir.slice(x(s.tokens, s.width), { axis: -1, start: 0, size: s.width })),
  "slice-slice": (s) =>
    ir.slice(ir.slice(x(s.tokens, s.width + 5), { axis: 1, start: 2, size: s.width + 1 }), {
      axis: -1,
      start: 1,
      size: s.width,
    }),
  "concat-of-one": (s) => ir.exp(ir.concat([x(s.tokens, s.width)], { axis: 0 })),
  "concat-adjacent-slices": (s) => {
    const whole = x(s.tokens, s.width + s.hidden + 1);
    const left = ir.slice(whole, { axis: 1, start: 1, size: s.width });
    return ir.concat([left, ir.slice(whole, { axis: 1, start: 1 + s.width, size: s.hidden })], { axis: -1 });
  },
  "concat-of-transposes": (s) => {
    const part = (name: string, rows: number) =>
      ir.transpose(ir.input(name, "f32", s.dim, rows, s.width), { perm: [1, 2, 0] });
    return ir.concat([part("a", s.tokens), part("b", s.hidden)], { axis: 0 });
  },
  "split-mlp": (s) => mlp(s, "gelu"),
  "split-mlp-add": (s) => mlp(s, "silu", other(s.tokens, s.width)),
  "split-gated-mlp": (s) =>
    ir.gatedMlp(x(s.tokens, s.width), weight("w1", 2 * s.hidden, s.width), weight("w2", s.width, s.hidden), {
      activation: "gelu",
    }),
  "split-linear-add": (s) =>
    ir.linearAdd(
      x(s.tokens, s.width),
      weight("w", s.hidden, s.width),
      weight("b", s.hidden),
      other(s.tokens, s.hidden),
    ),
  "pick-rows-before": (s) => pick(ir.gelu(ir.add(norm(s), weight("shift", s.width)))),
};
