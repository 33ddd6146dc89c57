/** Random well-typed graphs for properties: a list of choices, each of which adds a node where it type checks. */
import fc from "fast-check";
import * as ir from "../../src/ir/index.ts";

interface Choice {
  readonly make: number;
  readonly operands: readonly number[];
  readonly number: number;
  readonly name?: string | undefined;
}
type Pick = (i: number) => ir.Node;
type Maker = (pick: Pick, number: number) => ir.Node;

const T = ir.sym("T", 1, 1024);
const C = ir.sym("C", 64, 2048);
const small = (x: number, most: number): number => Math.abs(Math.trunc(x)) % most;

const makers: readonly Maker[] = [
  ...[ir.add, ir.sub, ir.mul, ir.div, ir.maximum, ir.less].map(
    (op): Maker =>
      (pick) =>
        op(pick(0), pick(1)),
  ),
  ...[ir.exp, ir.tanh, ir.erf, ir.gelu, ir.geluTanh, ir.silu, ir.sigmoid, ir.softmax].map(
    (op): Maker =>
      (pick) =>
        op(pick(0)),
  ),
  (pick) => ir.select(pick(0), pick(1), pick(2)),
  (_, x) => ir.constant({ dtype: "f32", shape: [small(x, 3) + 1], values: [x] }),
  (_, x) => ir.constant({ dtype: "f32", shape: [2], values: [x, Number.NEGATIVE_INFINITY] }),
  (_, x) =>
    ir.param({ name: `h.${small(x, 12)}.w "quoted"\n`, dtype: x > 0 ? "f32" : "f16", shape: [small(x, 3) + 1, 4] }),
  () => ir.iota({ length: T }),
  (pick, x) => ir.reduceSum(pick(0), { axis: -1, keepDims: x > 0 }),
  (pick) => ir.reduceMax(pick(0), { axis: 0 }),
  (pick, x) => ir.matmul(pick(0), pick(1), { transposeA: x > 50, transposeB: x > 0 }),
  (pick) => ir.linear(pick(0), pick(1)),
  (pick) => ir.linear(pick(0), pick(1), pick(2)),
  (pick, x) => ir.layerNorm(pick(0), pick(1), pick(2), { eps: Math.abs(x) || 1e-5 }),
  (pick) => ir.normalize(pick(0)),
  (pick) =>
    ir.transpose(pick(0), {
      perm: pick(0)
        .type.shape.map((_, i) => i)
        .reverse(),
    }),
  (pick) => ir.reshape(pick(0), { shape: [1, ...pick(0).type.shape] }),
  (pick, x) => ir.slice(pick(0), { axis: 0, start: small(x, 2), size: 1 }),
  (pick) => ir.concat([pick(0), pick(1), pick(2)], { axis: -1 }),
  (pick) => ir.gather(pick(0), pick(1)),
  (pick, x) => ir.cast(pick(0), { dtype: x > 0 ? "f16" : "i32" }),
  (pick) => ir.splitHeads(pick(0), { heads: 2 }),
  (pick) => ir.mergeHeads(pick(0)),
  (pick, x) => ir.attention(pick(0), pick(1), pick(2), { scale: x, window: small(x, 9) }),
  (pick, x) => ir.flashAttention(pick(0), pick(1), pick(2), { scale: x, blockK: small(x, 9) + 1 }),
];

const choice: fc.Arbitrary<Choice> = fc.record({
  make: fc.nat(makers.length - 1),
  operands: fc.array(fc.nat(999), { minLength: 3, maxLength: 3 }),
  number: fc.oneof(fc.integer({ min: -100, max: 100 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
  name: fc.option(fc.constantFrom("x", "h3.qkv", "add", "add.1", "$0", "größe", "x-1"), { nil: undefined }),
});

function graphOf(choices: readonly Choice[], outputs: number): ir.Graph {
  const position = ir.input("position", "i32", 1);
  const cache = ir.input("h0.k_cache", "f32", 2, 4, C);
  const inputs = [
    ir.input("tokens", "i32", T),
    ir.input("x", "f32", T, 4),
    ir.input("heads", "f32", 2, T, 4),
    position,
    cache,
  ];
  const pool: ir.Node[] = [...inputs, ir.param({ name: "w", dtype: "f32", shape: [4, 4] })];
  for (const { make, operands, number, name } of choices) {
    const pick: Pick = (i) => pool[operands[i]! % pool.length]!;
    try {
      pool.push(ir.renamed(makers[make]!(pick, number), { name }));
    } catch (e) {
      // These operands do not fit this op: the next choice may.
      if (!(e instanceof ir.HeddleError)) throw e;
    }
  }
  const slice =
    pool.findLast((n) => ir.showType(n.type) === "f32[2x4xT]") ?? ir.transpose(inputs[2]!, { perm: [0, 2, 1] });
  const next = ir.kvAppend(cache, slice, position, { axis: 2 });
  return ir.graph("random-1", { inputs, outputs: pool.slice(-1 - (outputs % 3)), state: [{ cache, next }] });
}

/** Graphs of up to `size` nodes with symbols, state, names that clash and attributes of every kind. */
export const randomGraph = (size = 40): fc.Arbitrary<ir.Graph> =>
  fc
    .tuple(fc.array(choice, { maxLength: size, size: "max" }), fc.nat(9))
    .map(([choices, outputs]) => graphOf(choices, outputs));
