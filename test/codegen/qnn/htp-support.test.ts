/**
 * The support table against Qualcomm's own validator: what it says HTP takes is taken, in the types that are compiled for HTP, and
 * what it says HTP lacks is refused. Skipped where the library is not installed.
 */
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { qnnVendorHalf } from "../../../src/codegen/qnn/index.ts";
import { qtiSupport } from "../../../src/codegen/qnn/qti.ts";
import { isUnsupported } from "../../../src/codegen/support.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { evaluate, geluTanh, graph, input, type Node, topo } from "../../../src/ir/index.ts";
import type { Backend, QnnError } from "../../../src/runtime/addon.ts";
import { openBackend } from "../../../src/runtime/libraries.ts";
import { examples } from "../../ir/examples/index.ts";
import { hasHtp } from "../../support/htp.ts";

const test = hasHtp ? always : always.skip;

function refused(backend: Backend, out: Node): readonly QnnError[] {
  const all = topo(graph("g", { inputs: [], outputs: [out] }));
  const g = graph("g", { inputs: all.filter((n) => n.op.name === "input"), outputs: [out] });
  const weights = new WeightTable();
  const plan = qnnVendorHalf.plan(qnnVendorHalf.legalize(g), weights);
  const [artifact] = qnnVendorHalf.emit(plan);
  // Any weights will do that are scales: floats above zero, and bytes of 1 to 16.
  return backend.refusals(JSON.parse(artifact!.text), new Uint8Array(weights.bytes + 64).fill(16));
}

/**
 * What HTP has not: casts from f16 to small integers, products of u8 that yield u16, and of integers that yield floats. A program that needs one is refused, with the
 * line that asks for it.
 */
const known = [
  "cast: f32 to i8",
  "cast: f32 to u8",
  "cast: to bool",
  "quantizedLinear: 0",
  "quantizedLinear: in floats",
  "blockQuantizedLinear: 0",
];

test("every op that has a lowering is taken, in all its forms", () => {
  const backend = openBackend("htp");
  try {
    const bad: string[] = [];
    for (const [name, support] of Object.entries(qtiSupport)) {
      if (typeof support === "string" || isUnsupported(support)) continue;
      assert.ok(examples[name]?.length, `${name} has an example`);
      for (const [i, example] of examples[name]!.entries())
        if (refused(backend, example.build()).length > 0) bad.push(`${name}: ${example.case ?? i}`);
    }
    assert.equal(bad, known);
  } finally {
    backend.close();
  }
});

/** Names under which an op might exist all the same: where the validator begins to take one, the table can use it. */
const candidates: Readonly<Record<string, readonly string[]>> = {
  erf: ["ElementWiseErf", "Erf"],
  kvAppend: ["KvAppend", "KVCacheUpdate"],
};

test("what is called unsupported does not exist", () => {
  const backend = openBackend("htp");
  try {
    for (const [name, support] of Object.entries(qtiSupport)) {
      // Weights are quantised by the compiler itself: nothing for a target to have.
      if (!isUnsupported(support) || support.unsupported.startsWith("weights")) continue;
      for (const type of candidates[name]!) {
        const tensor = (name: string, kind: string) => ({ name, type: kind, dataType: "FLOAT_16", dims: [1, 8] });
        const description = {
          format: "heddle.qnn/1",
          graph: "g",
          weights: "weights.bin",
          tensors: [tensor("x", "APP_WRITE"), tensor("y", "APP_READ")],
          nodes: [{ name: "n", package: "qti.aisw", type, params: [], inputs: ["x"], outputs: ["y"] }],
          inputs: ["x"],
          outputs: ["y"],
        };
        assert.is(backend.refusals(description).length, 1, `${name} as ${type}`);
      }
    }
  } finally {
    backend.close();
  }
});

test("Gelu in f16 is not only validated but compiled and computed", async () => {
  const backend = openBackend("htp");
  try {
    const values = Float32Array.from({ length: 64 }, (_, i) => (i - 32) / 8);
    const x = input("x", "f32", 2, 32);
    const g = graph("g", { inputs: [x], outputs: [geluTanh(x)] });
    const weights = new WeightTable();
    const plan = qnnVendorHalf.plan(qnnVendorHalf.legalize(g), weights);
    assert.ok(plan.nodes.some((n) => n.type === "Gelu"));
    const context = backend.createContext();
    const built = context.addGraph(JSON.parse(qnnVendorHalf.emit(plan)[0]!.text));
    await context.finalize();
    const out = new Float32Array(64);
    await built.execute({ x: values }, [out]);
    const expected = evaluate(g, { inputs: { x: values } }).outputs[0]!.data;
    // Between 2 and 4 neighbours in f16 are 2e-3 apart.
    for (const [i, y] of out.entries()) assert.ok(Math.abs(y - expected[i]!) < 5e-3, `${values[i]}: ${y}`);
  } finally {
    backend.close();
  }
});

/** A product of u16 by weights of 4 bits in blocks, as QNN would have it in each of its encodings. */
function inBlocks(op: "FullyConnected" | "Conv2d", quantize: object) {
  const isImage = op === "Conv2d";
  const [rows, inner, outer] = [2, 128, 32];
  const fixed = {
    dataType: "UFIXED_POINT_16",
    quantize: { encoding: "SCALE_OFFSET", scale: 2 ** -10, offset: -32768 },
  };
  const dims = (columns: number) => (isImage ? [1, 1, rows, columns] : [rows, columns]);
  const numbers = (name: string, shape: number[], inline: number[]) => ({
    name,
    type: "STATIC",
    dataType: "UINT_32",
    dims: shape,
    inline,
  });
  return {
    format: "heddle.qnn/1",
    graph: "g",
    weights: "weights.bin",
    tensors: [
      { name: "x", type: "APP_WRITE", dims: dims(inner), ...fixed },
      {
        name: "w",
        type: "STATIC",
        dataType: "SFIXED_POINT_8",
        dims: isImage ? [1, 1, inner, outer] : [outer, inner],
        quantize,
        inline: Array.from({ length: inner * outer }, (_, i) => (i % 16) - 8),
      },
      { name: "y", type: "APP_READ", dims: dims(outer), ...fixed },
      ...(isImage ? [numbers("stride", [2], [1, 1]), numbers("pad", [2, 2], [0, 0, 0, 0])] : []),
    ],
    nodes: [
      {
        name: "n",
        package: "qti.aisw",
        type: op,
        params: isImage
          ? [
              { name: "stride", tensor: "stride" },
              { name: "pad_amount", tensor: "pad" },
            ]
          : [],
        inputs: ["x", "w"],
        outputs: ["y"],
      },
    ],
    inputs: ["x"],
    outputs: ["y"],
  };
}

test("weights in blocks: integers for blocks of any size are taken, floats are not", async () => {
  const ones = (n: number) => Array<number>(n).fill(1);
  const backend = openBackend("htp");
  try {
    const saysOf = async (op: Parameters<typeof inBlocks>[0], quantize: object): Promise<string> => {
      const description = inBlocks(op, quantize);
      const [refusal] = backend.refusals(description);
      if (refusal) return refusal.log.join("\n");
      const context = backend.createContext();
      try {
        context.addGraph(description);
        await context.finalize();
        return "taken";
      } catch (e) {
        return (e as QnnError).log.join("\n");
      } finally {
        context.close();
      }
    };
    const integers = (axis: number, blocks: number, bitwidth = 4) => ({
      encoding: "BLOCKWISE_EXPANSION",
      bitwidth,
      axis,
      scales: ones(32),
      blocks,
      blockScales: Array.from({ length: 32 * blocks }, (_, i) => 1 + (i % 8)),
    });
    for (const blocks of [1, 2, 4, 8]) {
      assert.is(await saysOf("Conv2d", integers(3, blocks)), "taken", `${blocks} blocks`);
      assert.is(await saysOf("FullyConnected", integers(0, blocks)), "taken", `${blocks} blocks`);
    }
    assert.match(await saysOf("Conv2d", integers(3, 2, 3)), /incorrect Value 3, expected equal to 4/);
    // Of architectures from v81 on; X Elite is a v73.
    const floats = (blockSize: number[]) => ({ encoding: "BLOCK", blockSize, scales: ones(64) });
    assert.match(await saysOf("Conv2d", floats([1, 1, 64, 1])), /incorrect Value 73, expected >= 81/);
    assert.match(await saysOf("FullyConnected", floats([1, 64])), /"n" generated: could not create op/);
  } finally {
    backend.close();
  }
});

always.run();
