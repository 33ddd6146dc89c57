/** Kernels that share a design: they run on it one after the other, and the planner puts them there where that takes less time. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileEntries } from "../../../src/codegen/entries.ts";
import { arrayBackend } from "../../../src/codegen/mlir-aie/array-backend.ts";
import { besideAttention } from "../../../src/codegen/mlir-aie/kernels/band.ts";
import { planFamily } from "../../../src/codegen/mlir-aie/kernels/gemm-family.ts";
import { cachedAttention } from "../../../src/codegen/mlir-aie/lowerings.ts";
import { share } from "../../../src/codegen/mlir-aie/share.ts";
import { aieSupport } from "../../../src/codegen/mlir-aie/support.ts";
import { WeightTable } from "../../../src/codegen/weights.ts";
import { loadProgram } from "../../../src/frontend/index.ts";
import * as ir from "../../../src/ir/index.ts";
import { runPasses } from "../../../src/passes/index.ts";
import { loadDesign, simulate } from "../../../src/runtime/aie-sim/index.ts";
import { phoenix, strix } from "./kernels.ts";
import { layer, operandsOf } from "./layer.ts";
import { buffersFor, random, relativeError, resultOf, type Tensor } from "./run.ts";

for (const [rows, machine] of [
  [1, phoenix],
  [40, phoenix],
  [40, strix],
] as const)
  test(`${rows} rows on ${machine.device}: a layer runs on one design, twice over, as the ops do`, () => {
    const kernels = layer(rows, machine);
    const made = share(
      machine,
      "layer",
      Object.values(kernels).map((k) => k.kernel),
    );
    const designs = new Set([...made.values()].map((k) => k.design));
    assert.is(designs.size, 1);
    const design = loadDesign([...designs][0]!.text, { file: "layer.mlir" });
    const given = new Map<ir.Node, Tensor>();
    const value = (n: ir.Node): Tensor => {
      const shape = ir.staticShape(n.type.shape);
      const isPosition = n.type.dtype === "i32";
      const known = given.get(n) ?? (isPosition ? { shape, data: Int32Array.of(20) } : random(shape, given.size + 1));
      given.set(n, known);
      return known;
    };
    const order = [...Object.values(kernels), ...Object.values(kernels)];
    const runs = order.map(({ kernel, node }) => {
      const designed = made.get(kernel.name)!;
      const { operands, columns } = operandsOf(node);
      const buffers = designed.buffers;
      const arrays = buffersFor(buffers, operands.map(value), columns && { bias: value(columns) });
      return { name: kernel.name, node, buffers, arrays };
    });
    simulate(
      design,
      runs.flatMap((r) => r.arrays),
      { sequence: runs.map((r) => r.name) },
    );
    for (const { name, node, buffers, arrays } of runs) {
      const known = new Map(
        ir
          .topoFrom([node])
          .filter((n) => n.inputs.length === 0)
          .map((n) => [n, ir.wrap("x", n.type, value(n).data, n.type.dtype as "f32")]),
      );
      const [expected] = ir.evaluateNodes([node], { params: () => new Float32Array(), known });
      const out = resultOf(buffers, arrays, ir.staticShape(node.type.shape));
      const error = relativeError(out, expected!.data as Float32Array);
      assert.ok(error < 2 ** -6, `${name}: ${error}`);
    }
  });

test("a product has the same bits on cores that it shares", () => {
  const { projection, up, down } = layer(40);
  const made = share(phoenix, "layer", [projection.kernel, up.kernel, down.kernel]);
  for (const { kernel, node } of [projection, down]) {
    const { operands, columns } = operandsOf(node);
    const values = operands.map((o, i) => random(ir.staticShape(o.type.shape), i + 1));
    const bias = columns && { bias: random(ir.staticShape(columns.type.shape), 9) };
    const results = [made.get(kernel.name)!, kernel.alone()].map(({ design, buffers }) => {
      const arrays = buffersFor(buffers, values, bias);
      simulate(loadDesign(design.text, { file: `${design.name}.mlir` }), arrays, { sequence: kernel.name });
      return [...resultOf(buffers, arrays, ir.staticShape(node.type.shape))];
    });
    assert.equal(results[0], results[1], kernel.name);
  }
});

test("what is loaded, and how often, follows from what it takes", () => {
  const kernels = layer(128, phoenix, 128);
  const order = [...Object.values(kernels), ...Object.values(kernels)].map((k) => k.kernel);
  const designs = (reconfigurationSeconds: number) => {
    const made = share({ ...phoenix, reconfigurationSeconds }, "layer", order);
    return order.map((k) => made.get(k.name)!.design.name);
  };
  assert.equal(new Set(designs(phoenix.reconfigurationSeconds)), new Set(["layer"]));
  // Nobody shares anything where loading costs nothing, and attention has the whole array where it costs little.
  assert.is(new Set(designs(0)).size, 5);
  const little = designs(2e-6);
  assert.is(new Set(little).size, 2, String(little));
  assert.is(little[0], little[2]);
  assert.is.not(little[0], little[1]);
});

test("tiles of products that share cores are chosen for all of them", () => {
  const shape = (k: number, n: number) =>
    ({ m: 128, k, n, type: "bf16", out: "f32", bias: true, activation: undefined, norm: undefined }) as const;
  const plans = planFamily(phoenix, [
    { shape: shape(768, 3072), runs: 12 },
    { shape: shape(3072, 768), runs: 12 },
    { shape: shape(64, 64), runs: 1 },
  ])!;
  assert.is(new Set(plans.map(({ tile, pieces, inPlace }) => JSON.stringify([tile, pieces, inPlace]))).size, 1);
  assert.equal(
    plans.map((p) => p.chunks * p.tile.k),
    [768, 3072, 64],
  );
  assert.is(new Set(plans.map((p) => p.memory.core)).size, 1);
});

test("an array with too few columns has no room for attention beside products", () => {
  assert.is(besideAttention({ ...phoenix, columns: 2 }), undefined);
  const { machine, band } = besideAttention(phoenix)!;
  assert.is(machine.rows - 2 + band.rows, 4);
});

for (const [name, config, machine] of [
  ["gemma3-270m", "270m", phoenix],
  ["gemma3-270m", "270m", strix],
  ["gpt2-fa2-kv-fused", "124m", phoenix],
] as const)
  test(`${name} on ${machine.device}: a token takes one design, and a prompt's last row the same; they fit the array`, async () => {
    const { passes, build } = await loadProgram(`graphs/${name}.ts`);
    const { module } = runPasses(build(config).module, passes);
    const entries = module.entries.filter(({ bind }) => bind.C === 1024);
    const backend = arrayBackend(machine, aieSupport);
    const compiled = compileEntries({ ...module, entries }, backend, new WeightTable());
    assert.equal(
      compiled.map(({ entry }) => entry),
      entries,
    );
    const [prompt, token] = compiled.map(({ plan }) => new Set([...plan.kernels.values()].map((k) => k.design)));
    assert.is(token!.size, 1);
    assert.is(prompt!.size, 2);
    assert.ok([...prompt!].includes([...token!][0]!));
    // Which checks memories, channels, descriptors and program memory.
    for (const { name: file, text } of prompt!) assert.equal(loadDesign(text, { file }).warnings, []);
    const steps = compiled.map((c) => c.artifacts.find((f) => f.path.endsWith(".steps.txt"))!.text);
    assert.match(steps[0]!, / 2 loads of another design 6\.80 ms;/);
    assert.match(steps[1]!, / 1 load of a design 3\.40 ms, of them 0 in a run that follows one of its own;/);
  });

test("layers with a window and without one share cores: each sees what its mask lets it see", () => {
  const of = (keys: number, window: number) => {
    const inputs = [
      ir.input("q", "f32", 4, 1, 32),
      ir.input("k", "f32", 2, 32, keys),
      ir.input("v", "f32", 2, keys, 32),
      ir.input("position", "i32", 1),
    ] as const;
    const node = ir.flashCachedAttention(...inputs, { scale: 0.2, window });
    const made = cachedAttention(node, phoenix);
    if (!("kernel" in made)) throw new Error(made.host);
    return { kernel: made.kernel, node };
  };
  const layers = [of(128, 0), of(64, 48), of(128, 0)];
  const made = share(
    phoenix,
    "attention",
    layers.map((l) => l.kernel),
  );
  const designs = new Set([...made.values()].map((k) => k.design));
  assert.is(designs.size, 1);
  const design = loadDesign([...designs][0]!.text, { file: "attention.mlir" });
  for (const position of [20, 100]) {
    const runs = layers.map(({ kernel, node }, i) => {
      const values = node.inputs.map((n, j): Tensor => {
        const shape = ir.staticShape(n.type.shape);
        return j === 3 ? { shape, data: Int32Array.of(position) } : random(shape, 10 * i + j + 1);
      });
      const { buffers } = made.get(kernel.name)!;
      return { name: kernel.name, node, values, buffers, arrays: buffersFor(buffers, values) };
    });
    simulate(
      design,
      runs.flatMap((r) => r.arrays),
      { sequence: runs.map((r) => r.name) },
    );
    for (const { name, node, values, buffers, arrays } of runs) {
      const known = new Map(
        node.inputs.map((n, i) => [n, ir.wrap("x", n.type, values[i]!.data, n.type.dtype as "f32")]),
      );
      const [expected] = ir.evaluateNodes([node], { params: () => new Float32Array(), known });
      const error = relativeError(resultOf(buffers, arrays, [4, 1, 32]), expected!.data as Float32Array);
      assert.ok(error < 2 ** -6, `${name} at ${position}: ${error}`);
    }
  }
});

test.run();
