/** Examples of the primitives that calculate. Numbers of the elementary functions are those of Python's math module. */
import * as ir from "../../../src/ir/index.ts";
import { type Example, noise, range } from "./example.ts";

const x = [-2.5, -0.75, 0, 0.3, 1.7, 3.2];
const positive = [0.25, 0.81, 1, 2, 1000];
const of = (op: (x: ir.Node) => ir.Node, input: readonly number[], expected: readonly number[]): Example[] => [
  { build: () => op(ir.input("x", "f32", input.length)), inputs: { x: input }, expected },
];

/** Every way in which two shapes can meet, for an operation given as a plain function. */
function binary(op: (a: ir.Node, b: ir.Node) => ir.Node, f: (a: number, b: number) => number): Example[] {
  const [a, b] = [noise(24, 3), noise(24, 4).map((v) => v + 1.5)];
  const shapes: [string, number[], number[], (i: number, j: number, k: number) => [number, number]][] = [
    ["equal shapes", [2, 3, 4], [2, 3, 4], (i, j, k) => [i * 12 + j * 4 + k, i * 12 + j * 4 + k]],
    ["a row", [2, 3, 4], [4], (i, j, k) => [i * 12 + j * 4 + k, k]],
    ["a column", [2, 3, 4], [3, 1], (i, j, k) => [i * 12 + j * 4 + k, j]],
    ["one number", [2, 3, 4], [1], (i, j, k) => [i * 12 + j * 4 + k, 0]],
    ["both repeated", [2, 1, 4], [3, 1], (i, j, k) => [i * 4 + k, j]],
    ["middle axis", [2, 3, 4], [2, 1, 4], (i, j, k) => [i * 12 + j * 4 + k, i * 4 + k]],
  ];
  return shapes.map(([name, as, bs, at]) => {
    const product = (s: number[]) => s.reduce((p, d) => p * d, 1);
    return {
      case: name,
      build: () => op(ir.input("a", "f32", ...as), ir.input("b", "f32", ...bs)),
      inputs: { a: a.slice(0, product(as)), b: b.slice(0, product(bs)) },
      expected: range(24).map((n) => {
        const [p, q] = at(Math.floor(n / 12), Math.floor(n / 4) % 3, n % 4);
        return f(a[p]!, b[q]!);
      }),
    };
  });
}

/** The product by its definition. */
function product(a: readonly number[], b: readonly number[], m: number, k: number, n: number): number[] {
  return range(m * n).map((at) =>
    range(k).reduce((sum, p) => sum + a[Math.floor(at / n) * k + p]! * b[p * n + (at % n)]!, 0),
  );
}
const flip = (x: readonly number[], rows: number, columns: number): number[] =>
  range(rows * columns).map((at) => x[(at % rows) * columns + Math.floor(at / rows)]!);

function matmuls(): Example[] {
  const [m, k, n] = [5, 7, 3];
  const [a, b] = [noise(m * k, 8), noise(k * n, 9)];
  const expected = product(a, b, m, k, n);
  const plain = [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      case: `transposeA ${transposeA}, transposeB ${transposeB}`,
      build: () =>
        ir.matmul(
          ir.input("a", "f32", ...(transposeA ? [k, m] : [m, k])),
          ir.input("b", "f32", ...(transposeB ? [n, k] : [k, n])),
          { transposeA, transposeB },
        ),
      inputs: { a: transposeA ? flip(a, m, k) : a, b: transposeB ? flip(b, k, n) : b },
      expected,
    })),
  );
  const [many, shared] = [noise(2 * 3 * m * k, 10), noise(2 * k * n, 11)];
  const batched = range(6).flatMap((i) => {
    const g = Math.floor(i / 3);
    return product(many.slice(i * m * k, (i + 1) * m * k), shared.slice(g * k * n, (g + 1) * k * n), m, k, n);
  });
  return [
    ...plain,
    {
      case: "a vector",
      build: () => ir.matmul(ir.input("a", "f32", 1, k), ir.input("b", "f32", k, n)),
      inputs: { a: a.slice(0, k), b },
      expected: expected.slice(0, n),
    },
    {
      case: "batches, b shared by three",
      build: () => ir.matmul(ir.input("a", "f32", 2, 3, m, k), ir.input("b", "f32", 2, 1, k, n)),
      inputs: { a: many, b: shared },
      expected: batched,
    },
  ];
}

export const primitives: Readonly<Record<string, readonly Example[]>> = {
  add: binary(ir.add, (a, b) => a + b),
  sub: binary(ir.sub, (a, b) => a - b),
  mul: binary(ir.mul, (a, b) => a * b),
  div: [
    ...binary(ir.div, (a, b) => a / b),
    {
      case: "integers truncate",
      build: () => ir.div(ir.input("a", "i32", 3), ir.input("b", "i32", 3)),
      inputs: { a: [7, -7, 9], b: [2, 2, 3] },
      expected: [3, -3, 3],
    },
  ],
  maximum: binary(ir.maximum, Math.max),
  less: binary(ir.less, (a, b) => (a < b ? 1 : 0)),
  select: [
    {
      build: () => {
        const a = ir.input("a", "f32", 2, 1);
        return ir.select(ir.less(a, ir.input("b", "f32", 3)), a, ir.input("c", "f32", 1));
      },
      inputs: { a: [1, 5], b: [0, 2, 9], c: [100] },
      expected: [100, 1, 1, 100, 100, 5],
    },
  ],
  exp: of(
    ir.exp,
    x,
    [0.0820849986238988, 0.4723665527410147, 1, 1.3498588075760032, 5.4739473917272, 24.532530197109352],
  ),
  tanh: of(
    ir.tanh,
    x,
    [-0.9866142981514303, -0.6351489523872873, 0, 0.2913126124515909, 0.935409070603099, 0.9966823978396512],
  ),
  sin: of(
    ir.sin,
    x,
    [-0.5984721441039565, -0.6816387600233341, 0, 0.29552020666133955, 0.9916648104524686, -0.058374143427580086],
  ),
  cos: of(
    ir.cos,
    x,
    [-0.8011436155469337, 0.7316888688738209, 1, 0.955336489125606, -0.12884449429552464, -0.9982947757947531],
  ),
  sqrt: of(ir.sqrt, positive, [0.5, 0.9, 1, Math.SQRT2, 31.622776601683793]),
  rsqrt: of(ir.rsqrt, positive, [2, 1.1111111111111112, 1, Math.SQRT1_2, 0.03162277660168379]),
  erf: of(
    ir.erf,
    [...x, 2.49, 2.51, -5, 1e-9, 7],
    [
      -0.999593047982555, -0.7111556336535151, 0, 0.3286267594591274, 0.9837904585907745, 0.9999939742388483,
      0.9995707121322661, 0.9996142945182758, -0.9999999999984626, 1.1283791670955127e-9, 1,
    ],
  ),
  reduceSum: [
    { build: () => ir.reduceSum(ir.input("x", "f32", 2, 3), { axis: -1 }), inputs: { x: range(6) }, expected: [3, 12] },
    {
      case: "first axis, dropped",
      build: () => ir.reduceSum(ir.input("x", "f32", 2, 3), { axis: 0, keepDims: false }),
      inputs: { x: range(6) },
      expected: [3, 5, 7],
    },
  ],
  reduceMax: [
    {
      build: () => ir.reduceMax(ir.input("x", "f32", 2, 3), { axis: 1 }),
      inputs: { x: [-3, -1, -2, 4, 9, 2] },
      expected: [-1, 9],
    },
    {
      case: "NaN wins",
      build: () => ir.reduceMax(ir.input("x", "f32", 3), { axis: 0 }),
      inputs: { x: [1, Number.NaN, 2] },
      expected: [Number.NaN],
    },
  ],
  matmul: matmuls(),
};
