import { readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeOnnx, encodeOnnx, readOnnx, writeOnnx } from "../../../src/codegen/onnx/index.ts";
import { ModelProto, type onnx } from "../../../src/codegen/onnx/proto.ts";
import {
  bind,
  cast,
  div,
  evaluate,
  exp,
  graph,
  input,
  linear,
  maximum,
  param,
  reduceMax,
  reduceSum,
  rsqrt,
  showLoc,
  sub,
  topo,
} from "../../../src/ir/index.ts";
import { programs } from "../../support/programs.ts";
import { tempFolder } from "../../support/temp.ts";
import { compiled, inputsFor, maxDifference, noise, reference, source } from "../programs.ts";

for (const name of programs)
  test(`${name} is read back and evaluates equal`, async () => {
    const { module } = await compiled(name);
    for (const entry of module.entries.slice(0, 2)) {
      const bound = bind(module.graph, entry.bind, entry.name);
      const model = decodeOnnx(encodeOnnx(bound, source));
      const inputs = inputsFor(bound, Math.min(entry.bind.T!, 17), entry.role === "decode" ? 9 : 0);
      const { outputs } = evaluate(model.graph, { inputs, params: (p) => model.param(p) });
      assert.ok(maxDifference(outputs[0]!.data, reference(bound, inputs)) < 1e-5, entry.name);
    }
  });

test("names and locations of the author survive", async () => {
  const { module } = await compiled("gpt2-fused");
  const { graph: g } = decodeOnnx(encodeOnnx(bind(module.graph, { T: 64 }, "forward-64"), source));
  const qkv = topo(g).find((n) => n.name === "h0.qkv")!;
  assert.is(qkv.op.name, "linear");
  assert.match(showLoc(qkv.loc!), /^graphs\/models\/gpt2\.ts:\d+:\d+$/);
});

const x = input("x", "f32", 2, 3, 4);
const w = param({ name: "w", dtype: "f32", shape: [5, 4] });
const small = graph("small", { inputs: [x], outputs: [linear(x, w)] });

test("ops that the programs do not use", () => {
  const e = exp(sub(x, reduceMax(x, { axis: 1 })));
  const outputs = [
    div(e, reduceSum(e, { axis: -1 })),
    rsqrt(maximum(x, exp(x))),
    cast(linear(x, cast(w, { dtype: "f16" })), { dtype: "f32" }),
  ];
  const g = graph("g", { inputs: [x], outputs });
  const weights = { ...source, read: () => noise(20) };
  const model = decodeOnnx(encodeOnnx(g, weights));
  const inputs = { x: noise(24) };
  const expected = evaluate(g, { inputs, params: () => noise(20) });
  const actual = evaluate(model.graph, { inputs, params: (p) => model.param(p) });
  for (const [i, o] of expected.outputs.entries())
    assert.ok(maxDifference(actual.outputs[i]!.data, o.data) < 1e-6, `${i}`);
});

test("weights beside the model", async () => {
  const path = join(tempFolder(), "model.onnx");
  const weights = { ...source, read: () => noise(20) };
  await writeOnnx(small, weights, path, 16);
  const model = readOnnx(path);
  assert.equal(model.param("transpose").length, 20);
  truncateSync(`${path}.data`, 40);
  assert.throws(() => readOnnx(path), "ends at byte 80 of model.onnx.data, which has 40");
  unlinkSync(`${path}.data`);
  assert.throws(() => readOnnx(path), "has its data in model.onnx.data, which is missing");
});

/** A sound model with something changed. */
function changed(change: (m: onnx.IModelProto & { graph: onnx.IGraphProto }) => void): Uint8Array {
  const model = ModelProto.decode(encodeOnnx(small, { ...source, read: () => noise(20) }));
  change(model as onnx.IModelProto & { graph: onnx.IGraphProto });
  return ModelProto.encode(model).finish();
}

const external = (fields: Readonly<Record<string, string>>) =>
  changed(({ graph: g }) => {
    const t = g.initializer![0]!;
    t.rawData = new Uint8Array();
    t.dataLocation = 1;
    t.externalData = Object.entries(fields).map(([key, value]) => ({ key, value }));
  });

const damaged: readonly [name: string, bytes: () => Uint8Array, message: string][] = [
  ["text", () => Buffer.from("not a model at all"), "is not an ONNX model, or is cut off"],
  ["nothing", () => new Uint8Array(), "is of opset unknown; opset 17 is read"],
  ["another opset", () => changed((m) => (m.opsetImport![0]!.version = 12)), "is of opset 12; opset 17 is read"],
  [
    "an unknown op",
    () => changed(({ graph: g }) => (g.node![0]!.opType = "Swish")),
    "(Swish): there is no op to read it as",
  ],
  ["another domain", () => changed(({ graph: g }) => (g.node![0]!.domain = "com.acme")), "is of domain com.acme"],
  ["an unknown operand", () => changed(({ graph: g }) => (g.node![0]!.input![0] = "y")), "reads y, which no input"],
  ["a value defined twice", () => changed(({ graph: g }) => (g.node![0]!.output![0] = "x")), "defines x again"],
  ["an output that nobody defines", () => changed(({ graph: g }) => (g.output![0]!.name = "z")), "output z: reads z"],
  [
    "an attribute that would be lost",
    () => changed(({ graph: g }) => (g.node![0]!.attribute = [{ name: "alpha", type: 1, f: 2 }])),
    "attribute alpha is not supported",
  ],
  [
    "a shape that does not fit",
    () => changed(({ graph: g }) => (g.initializer![0]!.dims = [5, 5])),
    "its shape takes 100",
  ],
  [
    "an enormous shape",
    () => changed(({ graph: g }) => (g.initializer![0]!.dims = [2 ** 40, 2 ** 40])),
    "larger than any file",
  ],
  [
    "a negative shape",
    () => changed(({ graph: g }) => (g.initializer![0]!.dims = [-1, -20])),
    "has the shape [-1x-20]",
  ],
  ["an unknown element type", () => changed(({ graph: g }) => (g.initializer![0]!.dataType = 8)), "element type 8"],
  [
    "an input of open size",
    () => changed(({ graph: g }) => (g.input![0]!.type!.tensorType!.shape!.dim![0] = { dimParam: "T" })),
    "sizes that are not numbers",
  ],
  [
    "data outside the folder",
    () => external({ location: "../secret", offset: "0", length: "80" }),
    "which is not a file beside the model",
  ],
  [
    "data at an absolute path",
    () => external({ location: "/etc/passwd", offset: "0", length: "80" }),
    "which is not a file beside the model",
  ],
  ["data of another length", () => external({ location: "d", offset: "0", length: "81" }), "its shape takes 80 bytes"],
  ["data before the file", () => external({ location: "d", offset: "-8", length: "80" }), "has offset -8"],
];

for (const [name, bytes, message] of damaged)
  test(`refused: ${name}`, () => {
    assert.throws(
      () => decodeOnnx(bytes(), { name: "m.onnx", folder: "." }),
      (e: Error) => {
        assert.is(e.name, "HeddleError");
        assert.match(e.message, message);
        assert.match(e.message, "m.onnx");
        return true;
      },
    );
  });

test("every way to cut a model off is an error, and none is a crash", () => {
  const bytes = encodeOnnx(small, { ...source, read: () => noise(20) });
  for (let n = 0; n < bytes.length; n += 7)
    assert.throws(
      () => {
        const model = decodeOnnx(bytes.subarray(0, n));
        for (const p of topo(model.graph).filter((m) => m.op.name === "param")) model.param(p.name!);
        if (!model.graph.outputs.length) throw new RangeError("no outputs");
      },
      undefined,
      `${n} bytes`,
    );
});

test("a missing file", () => assert.throws(() => readOnnx("nowhere.onnx"), "nowhere.onnx: there is no such file"));

test("a model is written whole or not at all", async () => {
  const path = join(tempFolder(), "model.onnx");
  writeFileSync(path, "old");
  const failing = {
    ...source,
    read: () => {
      throw new Error("no such tensor");
    },
  };
  await writeOnnx(small, failing, path).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, "no such tensor"),
  );
  assert.is(readFileSync(path, "utf8"), "old");
});

test.run();
