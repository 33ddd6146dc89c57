/** Examples of composites, against their textbook formulas on plain arrays; activations against Python's math module. */
import * as ir from "../../../src/ir/index.ts";
import { type Example, noise, range } from "./example.ts";

const x = [-2.5, -0.75, 0, 0.3, 1.7, 3.2];
const activation = (op: (x: ir.Node) => ir.Node, expected: readonly number[]): Example[] => [
  { build: () => op(ir.input("x", "f32", 2, 3)), inputs: { x }, expected },
];
const geluTanh = [
  -0.015084266089998577, -0.17003944483437966, 0, 0.18537092354275922, 1.624105895551156, 3.198130434837916,
];
const gelu = [
  -0.015524163314440398, -0.16997051428265114, 0, 0.18537342665668577, 1.6242387133104768, 3.1978011585986694,
];
const silu = [-0.18964545005310887, -0.24061597561845527, 0, 0.1723327550434977, 1.437409049357991, 3.0746696870503545];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const rows = (values: readonly number[], width: number): number[][] =>
  range(values.length / width).map((r) => values.slice(r * width, (r + 1) * width));

function normalized(row: readonly number[], eps: number): number[] {
  const mean = sum(row) / row.length;
  const variance = sum(row.map((v) => (v - mean) ** 2)) / row.length;
  return row.map((v) => (v - mean) / Math.sqrt(variance + eps));
}
const linear = (xs: readonly number[], w: readonly number[], b: readonly number[]): number[] =>
  rows(xs, w.length / b.length).flatMap((row) =>
    b.map((bias, o) => bias + sum(row.map((v, i) => v * w[o * row.length + i]!))),
  );

const data = { x: noise(8, 21), gamma: noise(4, 22), beta: noise(4, 23) };
const width4 = (name: string) => ir.input(name, "f32", 4);
const x24 = () => ir.input("x", "f32", 2, 4);

const weights = { w: noise(12, 31), b: noise(3, 32), r: noise(6, 33) };
const product = linear(data.x, weights.w, weights.b);
const w34 = () => ir.input("w", "f32", 3, 4);
const b3 = () => ir.input("b", "f32", 3);
const inHalf = (values: readonly number[]): number[] => values.map((v) => Math.round(v * 2 ** 11) / 2 ** 11);

// One row of -2.5 ... through an MLP whose matrices are identities shows the activation; a second case mixes.
const mlpInputs = {
  x: noise(6, 41),
  w1: noise(12, 42),
  b1: noise(4, 43),
  w2: noise(12, 44),
  b2: noise(3, 45),
  r: noise(6, 46),
};
const mlpOf = (activation: string, residual: boolean) => () =>
  ir.mlp(
    ir.input("x", "f32", 2, 3),
    ir.input("w1", "f32", 4, 3),
    ir.input("b1", "f32", 4),
    ir.input("w2", "f32", 3, 4),
    ir.input("b2", "f32", 3),
    ...(residual ? ([ir.input("r", "f32", 2, 3), { activation }] as const) : ([{ activation }] as const)),
  );
const mlpBy = (f: (v: number) => number): number[] =>
  linear(linear(mlpInputs.x, mlpInputs.w1, mlpInputs.b1).map(f), mlpInputs.w2, mlpInputs.b2);
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

const rope = { x: noise(16, 51), angle: noise(4, 52) };

export const composites: Readonly<Record<string, readonly Example[]>> = {
  gelu: activation(ir.gelu, gelu),
  geluTanh: activation(ir.geluTanh, geluTanh),
  silu: activation(ir.silu, silu),
  sigmoid: activation(
    ir.sigmoid,
    [0.07585818002124355, 0.320821300824607, 0.5, 0.574442516811659, 0.8455347349164652, 0.9608342772032357],
  ),
  softmax: [
    {
      build: () => ir.softmax(x24()),
      inputs: data,
      expected: rows(data.x, 4).flatMap((r) => r.map((v) => Math.exp(v) / sum(r.map(Math.exp)))),
    },
    {
      case: "first axis",
      build: () => ir.softmax(ir.input("x", "f32", 2, 1), { axis: 0 }),
      inputs: { x: [0, Math.log(3)] },
      expected: [0.25, 0.75],
    },
    {
      case: "does not overflow",
      build: () => ir.softmax(ir.input("x", "f32", 2)),
      inputs: { x: [1e4, 1e4] },
      expected: [0.5, 0.5],
    },
  ],
  normalize: [
    { build: () => ir.normalize(x24()), inputs: data, expected: rows(data.x, 4).flatMap((r) => normalized(r, 1e-5)) },
  ],
  layerNorm: [
    {
      build: () => ir.layerNorm(x24(), width4("gamma"), width4("beta"), { eps: 0.1 }),
      inputs: data,
      expected: rows(data.x, 4).flatMap((r) => normalized(r, 0.1).map((v, i) => v * data.gamma[i]! + data.beta[i]!)),
    },
  ],
  rmsNorm: [
    {
      build: () => ir.rmsNorm(x24(), width4("gamma")),
      inputs: data,
      expected: rows(data.x, 4).flatMap((r) =>
        r.map((v, i) => (v / Math.sqrt(sum(r.map((u) => u * u)) / 4 + 1e-6)) * data.gamma[i]!),
      ),
    },
    {
      case: "no scale",
      build: () => ir.rmsNorm(x24(), { eps: 0.1 }),
      inputs: data,
      expected: rows(data.x, 4).flatMap((r) => r.map((v) => v / Math.sqrt(sum(r.map((u) => u * u)) / 4 + 0.1))),
    },
  ],
  linear: [
    { build: () => ir.linear(x24(), w34(), b3()), inputs: { ...data, ...weights }, expected: product },
    {
      case: "no bias",
      build: () => ir.linear(x24(), w34()),
      inputs: { ...data, ...weights },
      expected: product.map((v, i) => v - weights.b[i % 3]!),
    },
    {
      case: "a vector",
      build: () => ir.linear(ir.reshape(ir.slice(x24(), { axis: 0, start: 0, size: 1 }), { shape: [4] }), w34(), b3()),
      inputs: { ...data, ...weights },
      expected: product.slice(0, 3),
    },
    {
      case: "f16 weights",
      build: () => ir.linear(x24(), ir.cast(w34(), { dtype: "f16" }), b3()),
      inputs: { ...data, ...weights, w: inHalf(weights.w) },
      expected: linear(data.x, inHalf(weights.w), weights.b),
    },
  ],
  linearAdd: [
    {
      build: () => ir.linearAdd(x24(), w34(), b3(), ir.input("r", "f32", 2, 3)),
      inputs: { ...data, ...weights },
      expected: product.map((v, i) => v + weights.r[i]!),
    },
  ],
  mlp: [
    { case: "none", build: mlpOf("none", false), inputs: mlpInputs, expected: mlpBy((v) => v) },
    {
      case: "silu and residual",
      build: mlpOf("silu", true),
      inputs: mlpInputs,
      expected: mlpBy((v) => v * sigmoid(v)).map((v, i) => v + mlpInputs.r[i]!),
    },
    {
      case: "geluTanh",
      build: mlpOf("geluTanh", false),
      inputs: mlpInputs,
      expected: mlpBy((v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))),
    },
  ],
  gatedMlp: ["silu", "none"].map((activation) => ({
    case: activation,
    build: () =>
      ir.gatedMlp(ir.input("x", "f32", 2, 3), ir.input("w1", "f32", 4, 3), ir.input("w2", "f32", 3, 2), { activation }),
    inputs: { x: mlpInputs.x, w1: mlpInputs.w1, w2: mlpInputs.w2.slice(0, 6) },
    expected: linear(
      rows(linear(mlpInputs.x, mlpInputs.w1, [0, 0, 0, 0]), 4).flatMap(([g0, g1, u0, u1]) => {
        const act = (v: number) => (activation === "silu" ? v * sigmoid(v) : v);
        return [act(g0!) * u0!, act(g1!) * u1!];
      }),
      mlpInputs.w2.slice(0, 6),
      [0, 0, 0],
    ),
  })),
  splitHeads: [
    { build: () => ir.splitHeads(x24(), { heads: 2 }), inputs: { x: range(8) }, expected: [0, 1, 4, 5, 2, 3, 6, 7] },
  ],
  mergeHeads: [
    {
      build: () => ir.mergeHeads(ir.input("x", "f32", 2, 2, 2)),
      inputs: { x: [0, 1, 4, 5, 2, 3, 6, 7] },
      expected: range(8),
    },
  ],
  rope: [
    {
      build: () => {
        const angle = ir.input("angle", "f32", 2, 2);
        return ir.rope(ir.input("x", "f32", 2, 2, 4), ir.cos(angle), ir.sin(angle));
      },
      inputs: rope,
      // As complex numbers: x[d] + i x[d + 2] times e^(i angle).
      expected: range(16).map((n) => {
        const [row, d] = [Math.floor(n / 4), n % 4];
        const [re, im] = [rope.x[row * 4 + (d % 2)]!, rope.x[row * 4 + (d % 2) + 2]!];
        const angle = rope.angle[(row % 2) * 2 + (d % 2)]!;
        return d < 2 ? re * Math.cos(angle) - im * Math.sin(angle) : im * Math.cos(angle) + re * Math.sin(angle);
      }),
    },
  ],
};
