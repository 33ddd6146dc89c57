/** The head in pieces: together they are the whole, to the last bit. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { headInPieces } from "../../../src/codegen/qnn/head-pieces.ts";
import {
  elements,
  evaluate,
  type Graph,
  graph,
  input,
  type Node,
  param,
  renamed,
  type TensorType,
} from "../../../src/ir/index.ts";
import {
  add,
  blockQuantizedLinear,
  blockScales,
  dequantize,
  quantize,
  quantizedLinear,
  quantizeWeight,
  scalar,
  weightScales,
} from "../../../src/ir/ops/index.ts";
import { noise } from "../programs.ts";

const width = 64;
const encoding = { dtype: "u16", scale: Math.fround(1 / 4096), offset: -32768 } as const;

/** Logits [rows, columns] of `x`, and a slice of a cache after them. */
function model(columns: number, { rows = 1, float = true, inBlocks = false } = {}): Graph {
  const x = input("x", "f32", rows, width);
  const w = param.build([], { name: "head", dtype: "f32", shape: [columns, width] }, { name: "head", loc: undefined });
  const bits = inBlocks ? 4 : 8;
  const scales = weightScales(w, { bits, blockSize: inBlocks ? 32 : 0 });
  const blocks = inBlocks ? [blockScales(w, scales, { blockSize: 32 })] : [];
  const integers = quantizeWeight.build([w, scales, ...blocks], { bits });
  const product = inBlocks ? blockQuantizedLinear : quantizedLinear;
  const q = product.build([quantize(x, encoding), integers, scales, ...blocks], encoding);
  const logits = renamed(float ? dequantize(q, { dtype: "f32" }) : q, { name: "logits" });
  return graph("g", { inputs: [x], outputs: [logits, renamed(add(x, scalar(1)), { name: "slice" })] });
}
const caches = [{ input: 0, output: 1, axis: 0, window: 0 }];
const params = (_: string, { shape }: TensorType) => noise(elements(shape), 5);
const run = (g: Graph, rows = 1) => evaluate(g, { inputs: { x: noise(rows * width, 3) }, params }).outputs;
const integersOf = (n: Node) => n.inputs[0]!;

for (const [columns, pieces, inBlocks = false] of [
  [50257, 8],
  [4096, 8],
  [4096, 8, true],
  [1100, 2],
  [513, 1],
  [256, 1],
] as const)
  test(`${columns} columns in ${pieces}${inBlocks ? ", weights in blocks" : ""}`, () => {
    const whole = model(columns, { inBlocks });
    const { graph: split, caches: moved } = headInPieces({ graph: whole, caches });
    assert.is(split.outputs.length, pieces + 1);
    assert.is(split.outputs[moved[0]!.output]!.name, "slice");
    const names = Array.from({ length: pieces }, (_, i) => (pieces > 1 ? `logits.${i}` : "logits"));
    assert.equal(
      split.outputs.slice(0, pieces).map((n) => n.name),
      names,
    );
    const expected = run(graph("g", { inputs: whole.inputs, outputs: [integersOf(whole.outputs[0]!)] }))[0]!.data;
    const joined = run(split)
      .slice(0, pieces)
      .flatMap((t) => [...t.data]);
    assert.equal(joined, [...expected]);
    assert.ok(split.outputs.slice(0, pieces - 1).every((n) => (n.type.shape[1] as number) % 32 === 0));
  });

test("several rows, and logits that are integers already, stay as they are", () => {
  for (const g of [model(4096, { rows: 2 }), model(4096, { float: false })])
    assert.is(headInPieces({ graph: g, caches }).graph, g);
});

test.run();
