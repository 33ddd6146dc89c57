/** Graphs through the addon on every library that is here: numbers, binding, order, saving, refusals. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { allocate, type Backend, type Graph, loadBackend, QnnError } from "../../src/runtime/addon.ts";
import { backends, description, distance, expected, inputs, weights } from "./addon-support.ts";

const test = suite("addon");

/** What `action` throws or rejects with; fails where it does neither. */
async function refusal(action: () => unknown): Promise<Error> {
  try {
    await action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

async function build(backend: Backend): Promise<Graph> {
  const context = backend.createContext();
  const graph = context.addGraph(description(), weights.buffer);
  await context.finalize();
  return graph;
}

for (const { name, path, tolerance } of backends) {
  const load = () => loadBackend(path, name === "htp" ? { soc: 52 } : {});

  test(`${name}: numbers, by name and in order, now and later`, async () => {
    const backend = load();
    const graph = await build(backend);
    assert.equal(
      graph.inputs.map((t) => [t.name, t.dataType, t.dims, t.bytes, t.state]),
      [
        ["x", "FLOAT_32", [2, 8], 64, false],
        ["r", "FLOAT_32", [2, 4], 32, false],
      ],
    );
    const { x, r } = inputs();
    const y = new Float32Array(8);
    await graph.execute({ x, r }, { y });
    assert.ok(distance(y, expected({ x, r })) < tolerance, `${distance(y, expected({ x, r }))}`);
    const again = new Float32Array(8);
    graph.executeSync([x, r], [again]);
    assert.equal(again, y);
    const raw = new Uint8Array(32);
    await graph.execute([new Uint8Array(x.buffer), r], [raw]);
    assert.equal(new Float32Array(raw.buffer), y);
    backend.close();
  });

  test(`${name}: bound arrays stay bound, and a run may use others`, async () => {
    const backend = load();
    const graph = await build(backend);
    const { x, r } = inputs();
    const y = new Float32Array(allocate(32));
    graph.bind("x", x);
    graph.bind("r", r);
    graph.bind("y", y);
    await graph.execute();
    const first = [...y];
    x.set(inputs(3).x);
    await graph.execute();
    assert.ok(distance(y, expected({ x, r })) < tolerance);
    assert.ok(distance(y, first) > tolerance);
    const other = inputs();
    await graph.execute({ x: other.x });
    assert.ok(distance(y, first) < tolerance);
    graph.unbind("x");
    assert.is(
      (await refusal(() => graph.execute())).message,
      "input 'x' of graph 'small' is missing: pass it to execute or bind it",
    );
    graph.bind("x", x);
    structuredClone(x.buffer, { transfer: [x.buffer as ArrayBuffer] });
    assert.match((await refusal(() => graph.execute())).message, /tensor 'x'.*got Float32Array of 0/);
    backend.close();
  });

  test(`${name}: runs of one context are queued in order`, async () => {
    const backend = load();
    const graph = await build(backend);
    const done: number[] = [];
    const runs = Array.from({ length: 5 }, async (_, i) => {
      const input = inputs(i);
      const y = new Float32Array(8);
      await graph.execute(input, { y });
      done.push(i);
      return distance(y, expected(input));
    });
    assert.match((await refusal(() => graph.executeSync(inputs(), [new Float32Array(8)]))).message, /is busy/);
    assert.ok(Math.max(...(await Promise.all(runs))) < tolerance);
    assert.equal(done, [0, 1, 2, 3, 4]);
    backend.close();
  });

  test(`${name}: a saved context computes the same`, async () => {
    const backend = load();
    const graph = await build(backend);
    const { x, r } = inputs();
    const y = new Float32Array(8);
    await graph.execute({ x, r }, { y });
    const context = backend.createContext();
    context.addGraph(description(), weights.buffer);
    assert.match((await refusal(() => context.save())).message, /'small' is not finalized; await context.finalize\(\)/);
    await context.finalize();
    const binary = await context.save();
    const folder = mkdtempSync(join(tmpdir(), "heddle-"));
    const file = join(folder, "context.bin");
    writeFileSync(file, binary);
    for (const source of [binary, file]) {
      const loaded = await backend.loadContext(source);
      assert.equal(loaded.graphNames(), ["small"]);
      const again = new Float32Array(8);
      assert.equal(loaded.graph("small").inputs, graph.inputs);
      await loaded.graph("small").execute({ x, r }, { y: again });
      assert.equal(again, y);
      loaded.close();
    }
    rmSync(folder, { recursive: true });
    backend.close();
  });

  test(`${name}: a corrupt context binary is refused`, async () => {
    const backend = load();
    for (const bytes of [new Uint8Array(100), new TextEncoder().encode("not a context binary".repeat(50))]) {
      assert.instance(await refusal(() => backend.loadContext(bytes)), QnnError);
    }
    assert.match((await refusal(() => backend.loadContext(new Uint8Array(0)))).message, /the binary is empty/);
    assert.match((await refusal(() => backend.loadContext("/nowhere.bin"))).message, /there is no such file/);
    backend.close();
  });

  test(`${name}: profiles of finalization and run`, async () => {
    const backend = load();
    const context = backend.createContext();
    const graph = context.addGraph(description(), weights.buffer);
    await context.finalize({ profile: "detailed" });
    await graph.execute(inputs(), [new Float32Array(8)], { profile: "detailed" });
    const { execute } = graph.profile();
    assert.ok(execute.length > 0);
    assert.ok(execute.some((e) => e.children.length > 0));
    assert.ok(execute.every((e) => e.identifier.length > 0 && Number.isFinite(e.value)));
    assert.match(
      (await refusal(() => graph.execute([], [], { profile: "all" as "basic" }))).message,
      /"basic" or "detailed"/,
    );
    backend.close();
  });

  test(`${name}: an op the backend does not know, with its place and the log`, async () => {
    const backend = load();
    const context = backend.createContext();
    const bad = description();
    bad.nodes[0]!.type = "FulyConnected";
    const error = (await refusal(() => context.addGraph(bad, weights.buffer))) as QnnError;
    assert.instance(error, QnnError);
    assert.is(error.call, "backendValidateOpConfig");
    assert.is(error.op, "FulyConnected");
    assert.is(error.node, "fc");
    assert.ok(error.code > 0 && error.name.startsWith("QNN_"));
    assert.match(error.message, /^graphs\/small\.ts:3:14: FulyConnected node 'fc' of graph 'small': /);
    assert.ok(error.log.length > 0, "no log");
    // Validation builds nothing, so the context is as good as before.
    context.addGraph(description(), weights.buffer);
    await context.finalize();
    backend.close();
  });

  test(`${name}: wrong arrays and names are TypeErrors`, async () => {
    const backend = load();
    const graph = await build(backend);
    const { x, r } = inputs();
    const y = new Float32Array(8);
    const refused = async (i: unknown, o: unknown, words: RegExp) => {
      const error = await refusal(() => graph.execute(i as never, o as never));
      assert.instance(error, TypeError);
      assert.match(error.message, words);
    };
    await refused(
      { x: new Float32Array(15), r },
      { y },
      /tensor 'x' of graph 'small': expected Float32Array of 16 elements \(FLOAT_32\), got Float32Array of 15/,
    );
    await refused({ x: new Int32Array(16), r }, { y }, /got Int32Array of 16/);
    await refused({ x: [1, 2], r }, { y }, /got an array/);
    await refused({ x, r, z: x }, { y }, /graph 'small' has no input 'z'; it has x, r/);
    await refused([x], { y }, /has 2 inputs, got an array of 1/);
    await refused({ x, r }, {}, /output 'y' of graph 'small' is missing/);
    await refused(x, { y }, /inputs: expected an object or an array/);
    assert.match((await refusal(() => graph.bind("q", x))).message, /no input or output 'q'; inputs: x, r; outputs: y/);
    // The library of ES2023 does not know resizable buffers yet, Node does.
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]);
    await refused({ x: new Float32Array(resizable, 0, 16), r }, { y }, /a resizable buffer cannot be used/);
    backend.close();
  });

  test(`${name}: out of order and after closing`, async () => {
    const backend = load();
    const context = backend.createContext();
    assert.match((await refusal(() => context.finalize())).message, /no graph to finalize/);
    const graph = context.addGraph(description(), weights.buffer);
    const y = new Float32Array(8);
    assert.match((await refusal(() => graph.execute(inputs(), [y]))).message, /'small' is not finalized/);
    assert.match(
      (await refusal(() => context.addGraph(description(), weights.buffer))).message,
      /already has a graph named 'small'/,
    );
    assert.match((await refusal(() => context.graph("large"))).message, /has no graph 'large'; it has 'small'/);
    const finalized = context.finalize();
    assert.match((await refusal(() => context.addGraph(description("b"), weights.buffer))).message, /busy/);
    await finalized;
    const running = graph.execute(inputs(), [y]);
    const waiting = refusal(() => graph.execute(inputs(), [new Float32Array(8)]));
    context.close();
    context.close();
    await running;
    assert.ok(distance(y, expected(inputs())) < tolerance);
    assert.match((await waiting).message, /closed before this could begin/);
    for (const call of [() => graph.execute(), () => graph.bind("x", y), () => context.save(), () => graph.profile()]) {
      assert.is((await refusal(call)).message, "the context is closed");
    }
    backend.close();
  });
}

test.run();
