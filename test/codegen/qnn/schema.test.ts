import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkQnnGraph, type QnnGraph, type QnnNode, type QnnTensor } from "../../../src/codegen/qnn/index.ts";

const x: QnnTensor = { name: "x", type: "APP_WRITE", dataType: "FLOAT_32", dims: [1, 4] };
const y: QnnTensor = { name: "y", type: "APP_READ", dataType: "FLOAT_32", dims: [1, 4] };
const axes: QnnTensor = { name: "axes", type: "STATIC", dataType: "UINT_32", dims: [1], inline: [1] };
const sum: QnnNode = {
  name: "sum",
  package: "qti.aisw",
  type: "ReduceSum",
  params: [
    { name: "axes", tensor: "axes" },
    { name: "keep_dims", scalar: { dataType: "BOOL_8", value: true } },
  ],
  inputs: ["x"],
  outputs: ["y"],
  loc: "graphs/models/gpt2.ts:41:17",
};
const sound: QnnGraph = {
  format: "heddle.qnn/1",
  graph: "g",
  weights: "weights.bin",
  tensors: [x, y, axes],
  nodes: [sum],
  inputs: ["x"],
  outputs: ["y"],
};

test("a sound graph passes", () => checkQnnGraph(sound));

const tensors = (...list: readonly object[]) => ({ ...sound, tensors: list });
const node = (change: object) => ({ ...sound, nodes: [{ ...sum, ...change }] });
const broken: readonly [name: string, graph: unknown, message: string][] = [
  ["another format", { ...sound, format: "heddle.qnn/2" }, "/format must be equal to constant"],
  ["a field that nobody knows", { ...sound, extra: 1 }, "must NOT have additional properties"],
  ["no outputs", { ...sound, outputs: [] }, "/outputs must NOT have fewer than 1 items"],
  ["a tensor without dims", tensors(x, { ...y, dims: [] }, axes), "/tensors/1/dims must NOT have fewer than 1 items"],
  ["an unknown element type", tensors({ ...x, dataType: "FLOAT_8" }, y, axes), "/tensors/0/dataType"],
  [
    "a STATIC tensor without values",
    tensors(x, y, { ...axes, inline: undefined }),
    "/tensors/2 must have required property",
  ],
  ["a value for an input", tensors({ ...x, inline: [1] }, y, axes), "/tensors/0 must NOT be valid"],
  [
    "weights that are not aligned",
    tensors(x, y, { name: "axes", type: "STATIC", dataType: "UINT_32", dims: [1], data: { offset: 4, bytes: 4 } }),
    "/tensors/2/data/offset must be multiple of 64",
  ],
  [
    "a number for a flag",
    node({ params: [{ name: "keep_dims", scalar: { dataType: "BOOL_8", value: 1 } }] }),
    "must be boolean",
  ],
  [
    "a param that is scalar and tensor",
    node({ params: [{ name: "a", tensor: "axes", scalar: { dataType: "UINT_32", value: 1 } }] }),
    "exactly one schema",
  ],
  ["an unknown package", node({ package: "acme" }), "/nodes/0/package"],
  ["a location without a line", node({ loc: "gpt2.ts" }), "/nodes/0/loc must match pattern"],
  ["an unknown op", node({ type: "ReduceMean" }), "node sum: package qti.aisw has no op ReduceMean"],
  ["too many inputs", node({ inputs: ["x", "x"] }), "node sum: ReduceSum takes 1 inputs, not 2"],
  ["a missing parameter", node({ params: [] }), "node sum: ReduceSum needs parameter axes"],
  [
    "an unknown parameter",
    node({ params: [...sum.params, { name: "axis", scalar: { dataType: "UINT_32", value: 1 } }] }),
    "node sum: ReduceSum has no parameter axis",
  ],
  [
    "a parameter of another type",
    node({ params: [{ name: "axes", scalar: { dataType: "UINT_32", value: 1 } }] }),
    "node sum: parameter axes of ReduceSum is UINT_32[], not UINT_32",
  ],
  ["a tensor declared twice", tensors(x, x, y, axes), "tensor x is declared twice"],
  ["a node that reads what is not there", node({ inputs: ["z"] }), "node sum reads z before anything writes it"],
  ["a node that writes what is not declared", node({ outputs: ["z"] }), "node sum writes z, which is not declared"],
  ["an output that nobody writes", { ...sound, outputs: ["z"] }, "output z is not written by any node"],
  ["an input that is no APP tensor", { ...sound, inputs: ["x", "axes"] }, "input axes is not an APP tensor"],
];

for (const [name, graph, message] of broken)
  test(`refused: ${name}`, () => {
    // What is written is JSON, which has no undefined.
    const content: unknown = JSON.parse(JSON.stringify(graph));
    assert.throws(
      () => checkQnnGraph(content),
      (e: Error) => {
        assert.match(e.message, message);
        assert.match(e.message, "QNN graph g");
        return true;
      },
    );
  });

test.run();
