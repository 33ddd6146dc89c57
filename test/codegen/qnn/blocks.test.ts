import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { qnnReference } from "../../../src/codegen/qnn/index.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { writeWeights } from "../../../src/codegen/weights-file.ts";
import {
  type BlockType,
  blockFormats,
  concat,
  evaluate,
  type Graph,
  gatedMlp,
  gather,
  graph,
  input,
  linear,
  linearAdd,
  mlp,
  type Node,
  param,
  slice,
} from "../../../src/ir/index.ts";
import { loadBackend, mapFile } from "../../../src/runtime/addon.ts";
import { dequantize } from "../../../src/weights/gguf/dequantize.ts";
import type { WeightSource } from "../../../src/weights/source.ts";
import { available } from "../../runtime/addon-support.ts";
import { randomBlocks } from "../../support/random-blocks.ts";
import { tempFolder } from "../../support/temp.ts";

const types = Object.keys(blockFormats) as BlockType[];

function sourceOf(type: BlockType): WeightSource {
  const read = (name: string, [rows, columns]: readonly number[]) => {
    const values = new Float32Array(rows! * columns!);
    if (columns === undefined) return new Float32Array(rows!).fill(0.25);
    dequantize(randomBlocks(type, name, columns, 0, rows!), type, values);
    return values;
  };
  const { name, fingerprint } = { name: "blocks", fingerprint: "blocks" };
  return {
    ...{ name, fingerprint, read, check: () => {}, close: () => {} },
    blocks: {
      typeOf: () => type,
      read: (w, start, count) => randomBlocks(type, w.name, w.shape[1]!, start, count),
    },
  };
}

/** Whole numbers up to 127: rounding activations to 8 bits changes nothing. */
const wholes = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => (i % 32 ? ((i * 37) % 255) - 127 : -127));

/** The graph on the reference backend, with weights written to a file as a build has them. */
async function run(
  g: Graph,
  type: BlockType,
  inputs: Record<string, Float32Array | Int32Array>,
): Promise<Float32Array[]> {
  const table = new WeightTable();
  const plan = qnnReference.plan(qnnReference.legalize(g), table);
  const path = join(tempFolder(), "weights.bin");
  await writeWeights(table, sourceOf(type), path);
  const [artifact] = qnnReference.emit(plan);
  const backend = loadBackend(available("reference")!);
  try {
    const context = backend.createContext({ borrowStatic: true });
    const compiled = context.addGraph(JSON.parse(artifact!.text), mapFile(path).buffer);
    await context.finalize();
    const outputs = Object.fromEntries(compiled.outputs.map((o) => [o.name, new Float32Array(o.bytes / 4)]));
    await compiled.execute(inputs, outputs);
    context.close();
    return compiled.outputs.map((o) => outputs[o.name]!);
  } finally {
    backend.close();
  }
}

function agree(
  got: readonly Float32Array[],
  g: Graph,
  type: BlockType,
  inputs: Record<string, Float32Array | Int32Array>,
  tolerance: number,
) {
  const source = sourceOf(type);
  const { outputs } = evaluate(g, { inputs, params: (name, t) => source.read(name, t.shape as number[]) });
  for (const [i, { data }] of outputs.entries()) {
    const largest = Math.max(...Array.from(data, Math.abs));
    const worst = Math.max(...got[i]!.map((x, j) => Math.abs(x - data[j]!)));
    assert.ok(worst <= tolerance * largest, `${type}, output ${i}: off by ${worst} of ${largest}`);
  }
}

const stored = (dtype: BlockType, name: string, rows: number, columns: number): Node =>
  param({ name, dtype, shape: [rows, columns] });

for (const type of types)
  test(`${type}: products and rows of weights that stay in blocks`, async () => {
    const k = blockFormats[type].elements * 2;
    const x = input("x", "f32", 3, k);
    const rows = input("rows", "i32", 3);
    const table = stored(type, "table", 40, k);
    const part = slice(stored(type, "other", 30, k), { axis: 0, start: 5, size: 21 });
    const joined = concat([stored(type, "first", 7, k), part], { axis: 0 });
    const bias = param({ name: "bias", dtype: "f32", shape: [28] });
    const y = linear(x, joined, bias);
    const outputs = [gather(table, rows), linear(x, table), linearAdd(x, joined, bias, y)];
    const g = graph("blocks", { inputs: [x, rows], outputs });
    const inputs = { x: wholes(3 * k), rows: Int32Array.of(39, 0, 17) };
    agree(await run(g, type, inputs), g, type, inputs, 1e-5);
  });

test("a perceptron with weights in blocks", async () => {
  const x = input("x", "f32", 5, 64);
  const [b1, b2] = [96, 64].map((n) => param({ name: `bias${n}`, dtype: "f32", shape: [n] }));
  const y = mlp(x, stored("q8_0", "up", 96, 64), b1!, stored("q8_0", "down", 64, 96), b2!, x, {
    activation: "geluTanh",
  });
  const g = graph("mlp", { inputs: [x], outputs: [y] });
  const inputs = { x: wholes(5 * 64) };
  agree(await run(g, "q8_0", inputs), g, "q8_0", inputs, 1e-2);
});

test("a gated perceptron, and one with only half of its weights in blocks", async () => {
  const x = input("x", "f32", 5, 64);
  const half = param({ name: "half", dtype: "f32", shape: [64, 96] });
  for (const down of [stored("q8_0", "down", 64, 96), half]) {
    const y = gatedMlp(x, stored("q8_0", "both", 192, 64), down, { activation: "geluTanh" });
    const g = graph("gated", { inputs: [x], outputs: [y] });
    const inputs = { x: wholes(5 * 64) };
    agree(await run(g, "q8_0", inputs), g, "q8_0", inputs, 1e-2);
  }
});

test("a table that two ops read is stored once", () => {
  const [x, rows] = [input("x", "f32", 1, 32), input("rows", "i32", 1)];
  const table = stored("q8_0", "table", 48, 32);
  const weights = new WeightTable();
  const g = graph("tied", { inputs: [x, rows], outputs: [gather(table, rows), linear(x, table)] });
  const plan = qnnReference.plan(qnnReference.legalize(g), weights);
  assert.is(weights.bytes, 48 * 34 + 32);
  assert.equal(
    plan.nodes.map((n) => [n.type, n.params]),
    [
      [
        "BlockGather",
        [8, 48].map((value, i) => ({ name: ["format", "rows"][i], scalar: { dataType: "UINT_32", value } })),
      ],
      ["BlockFullyConnected", [{ name: "format", scalar: { dataType: "UINT_32", value: 8 } }]],
    ],
  );
});

test.run();
