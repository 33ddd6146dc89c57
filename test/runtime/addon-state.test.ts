/** State that a graph updates in place, several graphs in one binary, half-precision constants, and a missing build. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { allocate, loadBackend } from "../../src/runtime/addon.ts";
import { backends, description, distance, expected, inputs, weights } from "./addon-support.ts";

const test = suite("addon state");

for (const { name, path, tolerance } of backends) {
  test(`${name}: every graph of a binary comes back with its own interface`, async () => {
    const backend = loadBackend(path, name === "htp" ? { soc: 60 } : {});
    const context = backend.createContext();
    const names = ["first", "second", "third"];
    for (const graph of names) {
      const d = description(graph);
      for (const t of d.tensors) if (t.name === "y") t.name = `y_${graph}`;
      d.nodes[2]!.outputs = d.outputs = [`y_${graph}`];
      context.addGraph(d, weights.buffer);
    }
    await context.finalize();
    const loaded = await backend.loadContext(await context.save());
    assert.equal([...loaded.graphNames()].sort(), names);
    for (const graph of names) {
      assert.equal(
        loaded.graph(graph).outputs.map((t) => t.name),
        [`y_${graph}`],
      );
      const y = new Float32Array(8);
      await loaded.graph(graph).execute(inputs(), [y]);
      assert.ok(distance(y, expected(inputs())) < tolerance);
    }
    backend.close();
  });
}

for (const { path } of backends.filter((b) => b.name === "reference")) {
  const cache = { name: "cache", type: "APP_READWRITE", dataType: "FLOAT_32", dims: [1, 4, 2] };
  const append = {
    format: "heddle.qnn/1",
    graph: "append",
    weights: "weights.bin",
    tensors: [
      cache,
      { name: "slice", type: "APP_WRITE", dataType: "FLOAT_32", dims: [1, 1, 2] },
      { name: "position", type: "APP_WRITE", dataType: "INT_32", dims: [1] },
      { name: "copy", type: "APP_READ", dataType: "FLOAT_32", dims: [1, 4, 2] },
    ],
    nodes: [
      {
        name: "append",
        package: "heddle",
        type: "KvAppend",
        params: [{ name: "axis", scalar: { dataType: "UINT_32", value: 1 } }],
        inputs: ["cache", "slice", "position"],
        outputs: ["cache"],
      },
      {
        name: "read",
        package: "qti.aisw",
        type: "ElementWiseAdd",
        params: [],
        inputs: ["cache", "cache"],
        outputs: ["copy"],
      },
    ],
    inputs: ["cache", "slice", "position"],
    outputs: ["copy"],
  };

  test("a bound cache is updated in place, run after run", async () => {
    const backend = loadBackend(path);
    const context = backend.createContext();
    const graph = context.addGraph(append);
    await context.finalize();
    assert.is(graph.inputs[0]!.state, true);
    const memory = new Float32Array(allocate(32));
    const copy = new Float32Array(8);
    graph.bind("cache", memory);
    graph.bind("copy", copy);
    for (const position of [0, 1, 2]) {
      await graph.execute({ slice: Float32Array.of(position + 1, -1), position: Int32Array.of(position) });
    }
    assert.equal([...memory], [1, -1, 2, -1, 3, -1, 0, 0]);
    assert.equal([...copy], [2, -2, 4, -2, 6, -2, 0, 0]);
    // A slice beyond the end is not written.
    await graph.execute({ slice: Float32Array.of(9, 9), position: Int32Array.of(4) });
    assert.equal([...memory], [1, -1, 2, -1, 3, -1, 0, 0]);
    backend.close();
  });

  test("half-precision constants written inline", async () => {
    const backend = loadBackend(path);
    const context = backend.createContext();
    const d = description();
    // 1/3 and 2049 are no halves: they become 0.333251953125 and 2048.
    Object.assign(d.tensors[2]!, {
      dataType: "FLOAT_16",
      data: undefined,
      inline: Array(32)
        .fill(0)
        .fill(1 / 3, 0, 8)
        .fill(2049, 8, 9),
    });
    d.nodes.length = 1;
    d.tensors[4]!.type = "APP_READ";
    d.tensors = d.tensors.filter((t) => !["r", "s", "y"].includes(t.name));
    d.inputs = ["x"];
    d.outputs = ["h"];
    const graph = context.addGraph(d);
    await context.finalize();
    const h = new Float32Array(8);
    await graph.execute([new Float32Array(16).fill(1)], [h]);
    assert.ok(distance(h.subarray(0, 4), [8 * 0.333251953125 + 0.5, 2048 - 0.25, 0.125, 1]) < 1e-6, String(h));
    backend.close();
  });
}

test("without a native build the error says how to get one", () => {
  const addon = fileURLToPath(new URL("../../src/runtime/addon.ts", import.meta.url));
  const run = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", `(await import(${JSON.stringify(addon)})).allocate(1)`],
    { encoding: "utf8", env: { ...process.env, HEDDLE_ADDON: "/nowhere/heddle.node" } },
  );
  assert.is(run.status, 1);
  assert.match(
    run.stderr,
    /the native runtime is not built: there is no \/nowhere\/heddle\.node\n {2}try: npm run build:native/,
  );
});

test.run();
