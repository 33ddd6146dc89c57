/** Mapped files and aligned memory: errors, copy on write, and who keeps what alive. */
import { constants } from "node:buffer";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { allocate, loadBackend, mapFile } from "../../src/runtime/addon.ts";
import { backends, description, distance, expected, inputs, weights } from "./addon-support.ts";

const test = suite<{ folder: string }>("addon memory");

test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), "heddle-"));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

test("a mapped file has the file's bytes; writing to it does not change the file", ({ folder }) => {
  const file = join(folder, "data ü.bin");
  writeFileSync(file, "abcdef");
  const mapped = mapFile(file);
  assert.is(new TextDecoder().decode(mapped.buffer), "abcdef");
  new Uint8Array(mapped.buffer)[0] = 0x58;
  assert.is(readFileSync(file, "utf8"), "abcdef");
  mapped.close();
  mapped.close();
  assert.is(mapped.buffer.byteLength, 0);
});

test("a closed file is closed, also where nobody looked into it", ({ folder }) => {
  const file = join(folder, "closed.bin");
  writeFileSync(file, "abcdef");
  const mapped = mapFile(file);
  mapped.close();
  mapped.close();
  assert.throws(() => mapped.buffer, /^view: the mapped file is closed$/);
});

test("what cannot be mapped", ({ folder }) => {
  const empty = join(folder, "empty");
  writeFileSync(empty, "");
  assert.throws(() => mapFile(join(folder, "none")), /^cannot map .*none: there is no such file$/);
  assert.throws(() => mapFile(folder), /: it is not a regular file$/);
  assert.throws(() => mapFile(empty), /: the file is empty$/);
  assert.throws(() => mapFile("/dev/null"), /: it is not a regular file$/);
  assert.throws(() => mapFile(undefined as never), /^file name: expected a string, got nothing$/);
});

test("allocated memory is zero and usable as any type", () => {
  const buffer = allocate(4096);
  assert.is(buffer.byteLength, 4096);
  assert.ok(new Float64Array(buffer).every((v) => v === 0));
  assert.is(allocate(0).byteLength, 0);
  assert.throws(() => allocate(-1), /^bytes: expected an integer from 0/);
  assert.throws(() => allocate(2 ** 40), RangeError);
  // The memory is there, but no buffer of JavaScript may be so large.
  if (constants.MAX_LENGTH < 5 * 2 ** 30) assert.throws(() => allocate(5 * 2 ** 30), /larger than/);
});

if (backends.length > 0) {
  const { path, tolerance } = backends[0]!;

  test("a bound array survives the loss of its ArrayBuffer if the memory is ours", async () => {
    const backend = loadBackend(path);
    const context = backend.createContext();
    const graph = context.addGraph(description(), weights.buffer);
    await context.finalize();
    const { x, r } = inputs();
    const y = new Float32Array(8);
    const own = allocate(64);
    new Float32Array(own).set(x);
    graph.bind("x", new Float32Array(own));
    structuredClone(own, { transfer: [own] });
    await graph.execute({ r }, { y });
    assert.ok(distance(y, expected({ x, r })) < tolerance);
    backend.close();
  });

  test("closing a mapped file while a graph is built from it", async ({ folder }) => {
    const file = join(folder, "weights.bin");
    writeFileSync(file, new Uint8Array(weights.buffer));
    const backend = loadBackend(path);
    const context = backend.createContext();
    const mapped = mapFile(file);
    const graph = context.addGraph(description(), mapped.buffer);
    const finalized = context.finalize();
    mapped.close();
    await finalized;
    const y = new Float32Array(8);
    await graph.execute(inputs(), { y });
    assert.ok(distance(y, expected(inputs())) < tolerance);
    backend.close();
  });
}

for (const { path, tolerance } of backends.filter((b) => b.name === "reference")) {
  test("weights of more than 4 GiB, which no buffer holds", async ({ folder }) => {
    const file = join(folder, "large.bin");
    // A hole but for the last row.
    const [offset, rows] = [5 * 2 ** 30, 3];
    writeFileSync(file, "");
    truncateSync(file, offset);
    appendFileSync(file, new Uint8Array(Float32Array.from([1, 2, 3, 4, 5, 6]).buffer));
    const mapped = mapFile(file);
    if (offset > constants.MAX_LENGTH) assert.throws(() => mapped.buffer, /larger than/);
    const backend = loadBackend(path);
    const context = backend.createContext({ borrowStatic: true });
    const axis = { name: "axis", scalar: { dataType: "INT_32", value: 0 } };
    const pick = {
      name: "pick",
      package: "qti.aisw",
      type: "Gather",
      params: [axis],
      inputs: ["w", "i"],
      outputs: ["y"],
    };
    const graph = context.addGraph(
      {
        ...description(),
        tensors: [
          { name: "i", type: "APP_WRITE", dataType: "INT_32", dims: [1] },
          { name: "w", type: "STATIC", dataType: "FLOAT_32", dims: [rows, 2], data: { offset, bytes: rows * 8 } },
          { name: "y", type: "APP_READ", dataType: "FLOAT_32", dims: [1, 2] },
        ],
        nodes: [pick],
        inputs: ["i"],
        outputs: ["y"],
      },
      mapped.mapping,
    );
    await context.finalize();
    mapped.close();
    assert.throws(() => context.addGraph(description(), mapped.mapping), /^weights: the mapped file is closed$/);
    const y = new Float32Array(2);
    await graph.execute({ i: Int32Array.of(2) }, { y });
    assert.equal([...y], [5, 6]);
    backend.close();
  });

  test("borrowed weights: from our memory only, and alive after the file is closed", async ({ folder }) => {
    const file = join(folder, "borrowed.bin");
    writeFileSync(file, new Uint8Array(weights.buffer));
    const backend = loadBackend(path);
    const context = backend.createContext({ borrowStatic: true });
    assert.throws(
      () => context.addGraph(description(), weights.buffer),
      /borrowStatic needs memory from mapFile or allocate/,
    );
    const mapped = mapFile(file);
    const graph = context.addGraph(description(), mapped.buffer);
    await context.finalize();
    mapped.close();
    const y = new Float32Array(8);
    await graph.execute(inputs(), { y });
    assert.ok(distance(y, expected(inputs())) < tolerance);
    backend.close();
  });
}

test.run();
