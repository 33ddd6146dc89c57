/** The cache never hands out what is not whole, whoever writes, dies or damages it. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ContextCache, cacheKey, graphFingerprint } from "../../src/htp/cache.ts";
import type { JobResult } from "../../src/htp/types.ts";
import { writeBinary } from "../../src/runtime/binary-file.ts";
import { tempFolder } from "../support/temp.ts";

const library = { provider: "P", coreVersion: "2.40.0", backendVersion: "5.0.0", buildId: "b" };
const graphs = [{ name: "g", finalizeMs: 1 }];

/** A cache with one entry of `bytes` bytes under key `a`. */
function filled(bytes = 1000) {
  const folder = join(tempFolder(), "cache");
  const cache = new ContextCache({ folder });
  const file = join(tempFolder(), "binary");
  const binary = writeBinary(file, new Uint8Array(bytes).fill(7));
  const result: JobResult = { library, graphs, binary };
  cache.put("a", result, file);
  return { folder, cache, result, file };
}

test("an entry comes back as it was put, with its binary", () => {
  const { cache, result } = filled();
  const to = join(tempFolder(), "out");
  assert.equal(cache.take("a", to), result);
  assert.equal(new Uint8Array(readFileSync(to)), new Uint8Array(1000).fill(7));
  assert.equal(readFileSync(cache.find("a")!), readFileSync(to));
  assert.is(cache.take("b"), undefined);
  assert.is(cache.find("b"), undefined);
});

test("costs alone are kept without a binary", () => {
  const { cache } = filled();
  cache.put("costs", { library, graphs });
  assert.equal(cache.take("costs"), { library, graphs });
  assert.is(cache.take("costs", join(tempFolder(), "out")), undefined, "there is no binary to be had");
});

for (const [what, damage] of [
  ["a truncated binary", (entry: string) => truncateSync(join(entry, "context.bin"), 999)],
  ["a changed byte", (entry: string) => writeFileSync(join(entry, "context.bin"), new Uint8Array(1000).fill(8))],
  ["half a result", (entry: string) => truncateSync(join(entry, "result.json"), 20)],
  ["an empty result", (entry: string) => writeFileSync(join(entry, "result.json"), "")],
] as const)
  test(`${what} is not used, and the entry goes away`, () => {
    const { folder, cache } = filled();
    damage(join(folder, "a"));
    const to = join(tempFolder(), "out");
    assert.is(cache.take("a", to), undefined);
    assert.not(existsSync(to));
    assert.not(existsSync(join(folder, "a")));
  });

test("a second writer of the same entry changes nothing", () => {
  const { folder, cache, result, file } = filled();
  cache.put("a", result, file);
  assert.equal(cache.take("a"), result);
  assert.equal(readdirSync(folder), ["a"]);
});

test("what a writer that was killed left is removed, and what a living one writes is not", async () => {
  const { folder, cache, result, file } = filled();
  const dead = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  const died = new Promise((resolve) => dead.once("close", resolve));
  const ofDead = join(folder, `b.${dead.pid}.0.tmp`);
  const ofLiving = join(folder, `c.${process.ppid}.0.tmp`);
  for (const left of [ofDead, ofLiving]) {
    mkdirSync(left);
    writeFileSync(join(left, "context.bin"), "half");
  }
  dead.kill("SIGKILL");
  await died;
  cache.put("d", result, file);
  assert.not(existsSync(ofDead));
  assert.ok(existsSync(ofLiving));
});

test("killed in the middle of writing: no entry, and the next writer is not disturbed", async () => {
  const folder = join(tempFolder(), "cache");
  const file = join(tempFolder(), "binary");
  const binary = writeBinary(file, new Uint8Array(64 << 20));
  const source = `import { ContextCache } from ${JSON.stringify(new URL("../../src/htp/cache.ts", import.meta.url).href)};
    const cache = new ContextCache({ folder: ${JSON.stringify(folder)} });
    process.stdout.write("ready");
    for (let i = 0; ; i++) cache.put("key" + i, ${JSON.stringify({ library, graphs, binary })}, ${JSON.stringify(file)});`;
  const writer = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source]);
  await new Promise((resolve) => writer.stdout.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const died = new Promise((resolve) => writer.once("close", resolve));
  writer.kill("SIGKILL");
  await died;
  const cache = new ContextCache({ folder });
  cache.put("after", { library, graphs, binary }, file);
  const names = readdirSync(folder);
  assert.ok(names.includes("after"));
  assert.equal(
    names.filter((n) => n.endsWith(".tmp")),
    [],
  );
  for (const name of names) assert.ok(cache.find(name), `${name} is whole`);
});

test("the least recently used entries go first", () => {
  const { folder, cache, result, file } = filled();
  cache.put("b", result, file);
  utimesSync(join(folder, "a"), 1, 1);
  utimesSync(join(folder, "b"), 2, 2);
  cache.take("a"); // used now
  new ContextCache({ folder, limit: 2500 }).put("c", result, file);
  assert.equal(readdirSync(folder).sort(), ["a", "c"]);
});

test("a cache that cannot be written to keeps nothing and says nothing", () => {
  const file = join(tempFolder(), "binary");
  const binary = writeBinary(file, new Uint8Array(10));
  const cache = new ContextCache({ folder: join(file, "below-a-file") });
  cache.put("a", { library, graphs, binary }, file);
  assert.is(cache.take("a"), undefined);
});

test("keys: every part counts, the order of fields and the lines of the graph file do not", () => {
  assert.is(cacheKey({ a: 1, b: [2] }), cacheKey({ b: [2], a: 1 }));
  assert.is.not(cacheKey({ a: 1 }), cacheKey({ a: 2 }));
  const graph = (loc: string, dims: number[]) => JSON.stringify({ tensors: [{ dims }], nodes: [{ name: "n", loc }] });
  assert.is(graphFingerprint(graph("a.ts:1:1", [1])), graphFingerprint(graph("a.ts:2:1", [1])));
  assert.is.not(graphFingerprint(graph("a.ts:1:1", [1])), graphFingerprint(graph("a.ts:1:1", [2])));
});

test.run();
