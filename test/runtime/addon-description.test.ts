/** Graph descriptions that lie: each ends with a TypeError that names the field, and never reaches the library. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Backend, loadBackend } from "../../src/runtime/addon.ts";
import { backends, type Description, description, weights } from "./addon-support.ts";

const test = suite("addon description");

const cases: readonly [what: string, change: (d: Description) => unknown, words: RegExp][] = [
  ["another format", (d) => (d.format = "heddle.qnn/2"), /^format: expected "heddle.qnn\/1", got "heddle.qnn\/2"$/],
  ["no graph name", (d) => Reflect.deleteProperty(d, "graph"), /^graph: expected a string, got nothing$/],
  ["tensors no array", (d) => (d.tensors = {} as never), /^tensors: expected an array, got an object$/],
  ["a tensor that is null", (d) => (d.tensors[0] = null as never), /^tensors\[0\]: expected an object, got null$/],
  [
    "an empty tensor name",
    (d) => (d.tensors[0]!.name = ""),
    /^tensors\[0\]\.name: expected a string that is not empty/,
  ],
  ["a NUL in a name", (d) => (d.tensors[0]!.name = "a\0"), /cannot hold a NUL/],
  [
    "an unknown kind",
    (d) => (d.tensors[0]!.type = "INPUT"),
    /^tensors\[0\] \('x'\)\.type: expected one of APP_WRITE, .* got "INPUT"$/,
  ],
  [
    "an unknown data type",
    (d) => (d.tensors[0]!.dataType = "F32"),
    /\('x'\)\.dataType: expected one of FLOAT_32, .* got "F32"$/,
  ],
  [
    "a dim of zero",
    (d) => (d.tensors[0]!.dims = [2, 0]),
    /\('x'\)\.dims\[1\]: expected an integer from 1 to 4294967295, got 0$/,
  ],
  ["a negative dim", (d) => (d.tensors[0]!.dims = [-2, 8]), /dims\[0\]: .* got -2$/],
  ["a fractional dim", (d) => (d.tensors[0]!.dims = [2.5]), /dims\[0\]: .* got 2.5$/],
  ["a dim that is no number", (d) => (d.tensors[0]!.dims = ["2" as never]), /dims\[0\]: .* got "2"$/],
  ["a dim of NaN", (d) => (d.tensors[0]!.dims = [Number.NaN]), /dims\[0\]: expected an integer/],
  ["dims that overflow 64 bits", (d) => (d.tensors[0]!.dims = Array(8).fill(0xffffffff)), /a tensor below 4 GiB/],
  ["dims of 4 GiB", (d) => (d.tensors[0]!.dims = [1 << 30]), /a tensor below 4 GiB/],
  ["nine dims", (d) => (d.tensors[0]!.dims = Array(9).fill(1)), /at most 8 dims/],
  ["two tensors of one name", (d) => (d.tensors[1]!.name = "x"), /^tensors\[1\]: there are two tensors named 'x'$/],
  [
    "data beyond the weights",
    (d) => (d.tensors[2]!.data!.offset = 64),
    /bytes 64 to 192 lie outside the weights, which have 128 bytes/,
  ],
  ["an offset near 2^53", (d) => (d.tensors[2]!.data!.offset = 2 ** 53 - 64), /lie outside the weights/],
  ["an offset beyond 2^53", (d) => (d.tensors[2]!.data!.offset = 2 ** 60), /offset: expected an integer/],
  ["a negative offset", (d) => (d.tensors[2]!.data!.offset = -64), /offset: expected an integer from 0/],
  ["an unaligned offset", (d) => (d.tensors[2]!.data!.offset = 4), /offset: expected a multiple of 64, got 4$/],
  [
    "a wrong length",
    (d) => (d.tensors[2]!.data!.bytes = 64),
    /bytes: expected 128, the size of this shape and data type, got 64$/,
  ],
  [
    "a constant without data",
    (d) => Reflect.deleteProperty(d.tensors[2]!, "data"),
    /\('w'\): a STATIC tensor needs either data or inline$/,
  ],
  ["a constant with both", (d) => (d.tensors[2]!.inline = [1]), /needs either data or inline$/],
  ["data of an input", (d) => (d.tensors[0]!.inline = [1]), /\('x'\): only a STATIC tensor can have data$/],
  [
    "too few inline numbers",
    (d) => (d.tensors[3]!.inline = [1]),
    /\('b'\)\.inline: expected 4 numbers for this shape, not 1/,
  ],
  [
    "an inline number that is none",
    (d) => (d.tensors[3]!.inline = [1, 2, "3" as never, 4]),
    /inline\[2\]: expected a number, got "3"$/,
  ],
  [
    "an integer out of range",
    (d) => Object.assign(d.tensors[3]!, { dataType: "INT_8", inline: [0, 1, 2, 128] }),
    /inline\[3\]: expected an integer from -128 to 127, got 128$/,
  ],
  [
    "an unknown encoding",
    (d) => (d.tensors[0]!.quantize = { encoding: "LINEAR" }),
    /quantize\.encoding: expected one of SCALE_OFFSET/,
  ],
  [
    "a scale of zero",
    (d) => (d.tensors[0]!.quantize = { encoding: "SCALE_OFFSET", scale: 0, offset: 0 }),
    /scale: expected a positive finite scale, got 0$/,
  ],
  [
    "an axis beyond the rank",
    (d) => (d.tensors[0]!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 2, scales: [] }),
    /axis: expected an integer from 0 to 1, got 2$/,
  ],
  [
    "too few scales",
    (d) =>
      (d.tensors[0]!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 0, scales: { offset: 64, bytes: 1 << 20 } }),
    /quantize\.scales\.bytes: expected 8, the size of this shape and data type/,
  ],
  [
    "scales outside the weights",
    (d) => (d.tensors[0]!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 0, scales: { offset: 1 << 20, bytes: 8 } }),
    /quantize\.scales: bytes 1048576 to 1048584 lie outside the weights/,
  ],
  [
    "a scale of zero in the weights",
    (d) =>
      (d.tensors[0]!.quantize = {
        encoding: "BW_AXIS_SCALE_OFFSET",
        bitwidth: 4,
        axis: 0,
        scales: { offset: 0, bytes: 8 },
      }),
    /quantize\.scales: scale 0 in the weights is 0.0+; it must be positive and finite/,
  ],
  [
    "one scale for two rows",
    (d) => (d.tensors[0]!.quantize = { encoding: "AXIS_SCALE_OFFSET", axis: 0, scales: [1] }),
    /one scale per index of axis: 2/,
  ],
  [
    "blocks that do not divide a row",
    (d) =>
      (d.tensors[0]!.quantize = {
        encoding: "BLOCKWISE_EXPANSION",
        bitwidth: 4,
        axis: 0,
        scales: [1, 1],
        blocks: 1 << 20,
        blockScales: [1, 1],
      }),
    /quantize\.blocks: expected an integer from 1 to \d+, got 1048576$/,
  ],
  [
    "scales of blocks outside the weights",
    (d) =>
      (d.tensors[0]!.quantize = {
        encoding: "BLOCKWISE_EXPANSION",
        bitwidth: 4,
        axis: 0,
        scales: [1, 1],
        blocks: 1,
        blockScales: { offset: 1 << 20, bytes: 2 },
      }),
    /quantize\.blockScales: bytes 1048576 to 1048578 lie outside the weights/,
  ],
  [
    "a block that does not divide an axis",
    (d) => (d.tensors[0]!.quantize = { encoding: "BLOCK", blockSize: [1], scales: [1, 1] }),
    /quantize\.blockSize: expected a size for each axis: 2/,
  ],
  ["no node", (d) => (d.nodes = []), /^nodes: graph 'small' has none$/],
  ["two nodes of one name", (d) => (d.nodes[1]!.name = "fc"), /^nodes\[1\]: there are two nodes named 'fc'$/],
  [
    "an unknown operand",
    (d) => (d.nodes[0]!.inputs[0] = "q"),
    /^nodes\[0\] \('fc'\)\.inputs\[0\]: there is no tensor named 'q'$/,
  ],
  [
    "a node that writes a constant",
    (d) => (d.nodes[0]!.outputs[0] = "w"),
    /\('fc'\): writes to tensor 'w', which is a constant or an input$/,
  ],
  [
    "a parameter without a value",
    (d) => (d.nodes[2]!.params = [{ name: "axis" }]),
    /params\[0\]: a parameter needs either scalar or tensor$/,
  ],
  [
    "a parameter of a wrong type",
    (d) => (d.nodes[2]!.params = [{ name: "axis", scalar: { dataType: "UINT_32", value: -1 } }]),
    /value: expected an integer from 0 to 4294967295, got -1$/,
  ],
  [
    "a parameter tensor that is not constant",
    (d) => (d.nodes[2]!.params = [{ name: "axis", tensor: "x" }]),
    /tensor: expected the name of a STATIC tensor, got "x"$/,
  ],
  [
    "an input that is not listed",
    (d) => (d.inputs = ["x"]),
    /^tensor 'r' belongs to the application but is neither in inputs nor in outputs$/,
  ],
  [
    "an input that is no input",
    (d) => d.inputs.push("h"),
    /^inputs: tensor 'h' is neither APP_WRITE nor APP_READWRITE$/,
  ],
  ["an output that is listed twice", (d) => d.outputs.push("y"), /^outputs: tensor 'y' is listed twice$/],
];

/** One backend for all cases: none of them may reach it. */
let backend: Backend;
test.before(() => {
  backend = loadBackend(backends[0]!.path);
});
test.after(() => backend.close());

if (backends.length > 0) {
  for (const [what, change, words] of cases) {
    test(what, () => {
      const d = description();
      change(d);
      const context = backend.createContext();
      try {
        context.addGraph(d, weights.buffer);
        assert.unreachable();
      } catch (error) {
        assert.instance(error, TypeError);
        assert.match((error as Error).message, words);
      }
      context.addGraph(description(), weights.buffer);
      context.close();
    });
  }

  test("things that are no description or no weights", () => {
    const context = backend.createContext();
    for (const bad of [undefined, null, 7, "graph", [], new Float32Array(3), () => 1]) {
      assert.throws(
        () => context.addGraph(bad, weights.buffer),
        (e: Error) => e instanceof TypeError,
      );
    }
    assert.throws(
      () => context.addGraph(description(), "weights" as never),
      /^weights: expected an ArrayBuffer or a typed array, got "weights"$/,
    );
    assert.throws(() => context.addGraph(description()), /lie outside the weights, which have 0 bytes/);
    const detached = new ArrayBuffer(128);
    structuredClone(detached, { transfer: [detached] });
    assert.throws(() => context.addGraph(description(), detached), /lie outside the weights, which have 0 bytes/);
  });

  test("a getter that detaches the weights, and one that closes the context", () => {
    const context = backend.createContext();
    const shared = weights.slice().buffer;
    const late = (action: () => void) =>
      Object.defineProperty({ ...description() }, "outputs", {
        enumerable: true,
        get() {
          action();
          return ["y"];
        },
      });
    assert.throws(
      () =>
        context.addGraph(
          late(() => structuredClone(shared, { transfer: [shared] })),
          shared,
        ),
      /detached/,
    );
    assert.throws(
      () =>
        context.addGraph(
          late(() => context.close()),
          weights.buffer,
        ),
      /the context is closed/,
    );
  });
}

test.run();
