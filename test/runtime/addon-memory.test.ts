/** Mapped files and aligned memory: errors, copy on write, and who keeps what alive. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
