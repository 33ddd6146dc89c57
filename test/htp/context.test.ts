/** Context binaries by Qualcomm's own compiler: whole, small, equal to what was built, and faults in words. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test as always } from "uvu";
import * as assert from "uvu/assert";
import { type Compiled, compileProgram } from "../../src/cli/support/compile-program.ts";
import { contextFile, prepareContext } from "../../src/htp/index.ts";
import { type Graph, loadBackend, mapFile, type Numeric } from "../../src/runtime/addon.ts";
import { openBuild } from "../../src/runtime/build-folder.ts";
import { candidates, openBackend } from "../../src/runtime/libraries.ts";
import { checkContext, loadContext } from "../../src/runtime/loaded-context.ts";
import { Session } from "../../src/runtime/session.ts";
import { rejection } from "../support/rejection.ts";
import { tempFolder } from "../support/temp.ts";
import { chain, htp, readManifest } from "./support.ts";

const test = htp ? always : always.skip;
// A cache of its own: what is looked up here was put here.
process.env.HEDDLE_CACHE = join(tempFolder(), "cache");

const compile = (out: string, more: object = {}): Promise<Compiled> =>
  compileProgram("graphs/gpt2-fa2-kv-fused.ts", {
    config: "tiny",
    target: "x-elite",
    precision: "f16",
    out,
    ...more,
  });
const folder = join(tempFolder(), "build");
/** The build that the tests share; the first that asks for it compiles it. */
let made: Promise<Compiled> | undefined;
const build = (): Promise<Compiled> => (made ??= compile(folder));
const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("one context for all entry points; the manifest says what was compiled and what a run costs", async () => {
  const { manifest, contextCached } = await build();
  assert.is(contextCached, false);
  const { context, entries } = manifest;
  assert.equal(
    { ...context, library: undefined },
    {
      file: contextFile,
      bytes: readFileSync(join(folder, contextFile)).length,
      sha256: sha256(join(folder, contextFile)),
      soc: 60,
      optimization: 3,
      vtcm: 8,
      weightSharing: true,
      library: undefined,
    },
  );
  assert.is(context!.library.provider, "HTP_QTI_AISW");
  for (const { name, npu } of entries) {
    const { ddr, simulated, finalizeMs } = npu!;
    assert.ok(finalizeMs.value > 0 && finalizeMs.source === "measured", name);
    assert.ok(ddr!.read > 0 && ddr!.written > 0 && ddr!.source === "vendor-simulated", name);
    assert.ok(simulated!.us > 0 && simulated!.cycles > simulated!.us && simulated!.soc === 52, name);
    assert.ok(simulated!.shareOfBound > 0 && simulated!.shareOfBound < 1, name);
    assert.is(simulated!.source, "vendor-simulated");
  }
  // A step of one token reads its weights, and not much more than them and the caches.
  const decode = entries.find((e) => e.name === "decode-64")!;
  assert.ok(decode.npu!.ddr!.read >= decode.npu!.simulated!.boundBytes);
});

test("nothing changed: nothing is compiled; --no-cache compiles", async () => {
  await build();
  const again = join(tempFolder(), "again");
  const second = await compile(again);
  assert.is(second.contextCached, true);
  assert.is(sha256(join(again, contextFile)), sha256(join(folder, contextFile)));
  assert.equal(second.manifest.entries, (await build()).manifest.entries);
  const third = await compile(again, { cache: false, simulate: false });
  assert.is(third.contextCached, false);
  assert.is(third.manifest.entries[0]!.npu!.simulated, undefined, "--no-simulate");
});

test("graphs of one context share weights; unshared, a binary for SoC 60 loads back and executes equal", async () => {
  const { manifest } = await build();
  const graphs = manifest.entries.slice(0, 2).map((e) => ({ name: e.name, file: join(folder, e.graph) }));
  const weights = join(folder, "qnn/weights.bin");
  const sizes: number[] = [];
  const binaries: string[] = [];
  for (const weightSharing of [true, false]) {
    const binary = join(tempFolder(), "context.bin");
    const options = { weightSharing };
    const { binary: made } = await prepareContext({ graphs, weights, binary, options, costedSoc: null, cache: false });
    sizes.push(made!.bytes);
    binaries.push(binary);
  }
  // The tiny program's binary is code for the most part; its weights are 146 kB in f16.
  assert.ok(sizes[0]! < sizes[1]! - 100e3, `${sizes[0]} against ${sizes[1]}`);

  const backend = openBackend("htp");
  const mapped = mapFile(weights);
  try {
    const built = backend.createContext();
    const description = JSON.parse(readFileSync(graphs[1]!.file, "utf8"));
    const fresh = built.addGraph(description, mapped.buffer, { optimization: 3, vtcm: 8 });
    await built.finalize();
    const loaded = (await backend.loadContext(binaries[1]!)).graph(graphs[1]!.name);
    assert.equal(await outputs(loaded), await outputs(fresh));
    // The simulator does not take shared weights, and says so instead of crashing.
    const refused = await rejection(backend.loadContext(binaries[0]!));
    assert.match(
      refused.message,
      /contextCreateFromBinary failed with 1000[\s\S]*Shared weights buffer isn't supported/,
    );
  } finally {
    backend.close();
    mapped.close();
  }
});

/** Runs a graph: tokens and positions are 0, caches look random. Halves are given by their bits. */
async function outputs(graph: Graph): Promise<Record<string, Uint8Array>> {
  const arrays = (tensors: Graph["inputs"], value: (i: number) => number): Record<string, Numeric> =>
    Object.fromEntries(
      tensors.map(({ name, dataType, bytes }) => {
        if (dataType === "INT_32") return [name, new Int32Array(bytes / 4)];
        if (dataType === "FLOAT_16")
          return [name, new Uint16Array(bytes / 2).map((_, i) => 0x3800 + (value(i) & 0x3ff))];
        return [name, new Float32Array(bytes / 4).map((_, i) => value(i) / 1024)];
      }),
    );
  const results = arrays(graph.outputs, () => 0);
  await graph.execute(
    arrays(graph.inputs, (i) => (i * 37) % 1024),
    results,
  );
  return Object.fromEntries(Object.entries(results).map(([name, { buffer }]) => [name, new Uint8Array(buffer)]));
}

test("an op that the validator refuses: its line, its types, the vendor's words; no binary", async () => {
  const { graphs, weights } = chain(tempFolder(), ["Tanh", "Erf"]);
  const binary = join(tempFolder(), "context.bin");
  const error = await rejection(prepareContext({ graphs, weights, binary, cache: false }));
  assert.match(
    error.message,
    /^graphs\/models\/some\.ts:2:7: Erf node 'h1\.erf' of graph 'chain': Qualcomm's validator refuses/,
  );
  assert.match(
    error.message,
    /Erf\(FLOAT_16\[1,64\]\) -> FLOAT_16\[1,64\]\n {4}code: 3110, .*\n {4}log: <E> OpValidator not found/,
  );
  assert.not(existsSync(binary));
});

test("a graph that cannot be finalized: the node that the vendor's log names", async () => {
  const { graphs, weights } = chain(tempFolder(), ["Tanh", "Gelu"], "FLOAT_32");
  const binary = join(tempFolder(), "context.bin");
  // HTP v68 has no float GELU, which its validator does not know.
  const options = { soc: 30, vtcm: 4, weightSharing: false };
  const error = await rejection(prepareContext({ graphs, weights, binary, options, costedSoc: null, cache: false }));
  assert.match(
    error.message,
    /^graphs\/models\/some\.ts:2:7: Gelu\(FLOAT_32\[1,64\]\) -> FLOAT_32\[1,64\] node 'h1\.gelu'/,
  );
  assert.match(
    error.message,
    /graphFinalize failed with 1002[\s\S]*could not create op[\s\S]*try: write Gelu in terms of other ops/,
  );
  assert.not(existsSync(binary));
});

/** A copy of the build with another context binary. */
async function altered(change: (file: string) => void, soc?: number): Promise<string> {
  await build();
  const copy = join(tempFolder(), "altered");
  await compile(copy);
  const file = join(copy, contextFile);
  const content = readFileSync(file);
  // A file of its own instead of a link into the cache.
  const fresh = `${file}.new`;
  writeFileSync(fresh, content);
  renameSync(fresh, file);
  change(file);
  if (soc !== undefined) {
    const manifest = readManifest(copy);
    const context = { ...manifest.context!, soc, bytes: readFileSync(file).length, sha256: sha256(file) };
    writeFileSync(join(copy, "manifest.json"), JSON.stringify({ ...manifest, context }));
  }
  return copy;
}

for (const [what, change, soc, words] of [
  ["a truncated binary", (f: string) => truncateSync(f, 5000), undefined, /has 5000 bytes; the manifest says \d+/],
  ["a changed byte", flip, undefined, /is damaged: its content is not what was compiled/],
  ["a binary for another SoC", () => {}, 69, /was compiled for SoC 60; the manifest says 69/],
  ["something else than a binary", (f: string) => writeFileSync(f, "text"), 60, /30010, this is not a context binary/],
] as const)
  test(`${what}: a message, and the process lives`, async () => {
    const copy = await altered(change, soc);
    const session = await Session.load(copy, { backend: "htp" });
    try {
      const error = await rejection(session.prefill([1, 2, 3]));
      assert.match(error.message, words);
      assert.match(error.message, /context\.bin/);
      assert.match(error.message, /try: .*compile it again/);
    } finally {
      session.close();
    }
    const sound = await Session.load(folder, { backend: "htp" });
    assert.is((await sound.prefill([1, 2, 3])).length, sound.build.manifest.model.vocab);
    sound.close();
  });

function flip(file: string): void {
  const content = readFileSync(file);
  content[content.length >> 1]! ^= 1;
  writeFileSync(file, content);
}

test("on the NPU and its simulator a build needs no weights.bin; elsewhere it does", async () => {
  await build();
  const copy = join(tempFolder(), "copied");
  mkdirSync(join(copy, "qnn"), { recursive: true });
  for (const file of ["manifest.json", contextFile, "qnn/prefill-64.qnn.json", "qnn/decode-64.qnn.json"])
    copyFileSync(join(folder, file), join(copy, file));
  const session = await Session.load(copy, { backend: "htp" });
  assert.is((await session.prefill([1, 2, 3])).length, session.build.manifest.model.vocab);
  session.close();
  const error = await rejection(Session.load(copy, { backend: "qnn-cpu" }));
  assert.match(error.message, /was compiled in f16, which Qualcomm's CPU library does not compute in/);
});

test("a build without a context binary says how to get one", async () => {
  const bare = join(tempFolder(), "bare");
  const { manifest } = await compile(bare, { context: false });
  assert.is(manifest.context, undefined);
  const session = await Session.load(bare, { backend: "htp" });
  assert.match(
    (await rejection(session.prefill([1]))).message,
    /has no context binary.*--no-context[\s\S]*try: compile it again/,
  );
  session.close();
});

test("a library older than the one that compiled: both versions are named", async () => {
  const { manifest } = await build();
  const older = candidates("qnn-cpu")[0]!.path.replace("libQnnCpu.so", "libQnnHtp.so");
  if (!existsSync(older)) return;
  const copy = join(tempFolder(), "own");
  const graphs = [{ name: "decode-64", file: join(folder, "qnn/decode-64.qnn.json") }];
  const weights = join(folder, "qnn/weights.bin");
  await compile(copy, { context: false });
  const { binary } = await prepareContext({
    graphs,
    weights,
    binary: join(copy, contextFile),
    costedSoc: null,
    cache: false,
  });
  const context = { ...manifest.context!, ...binary };
  writeFileSync(join(copy, "manifest.json"), JSON.stringify({ ...readManifest(copy), context }));
  const backend = loadBackend(older, { soc: 60 });
  try {
    const opened = openBuild(copy);
    checkContext(opened, backend);
    const error = await rejection(loadContext(opened, backend));
    assert.match(error.message, /Using newer context binary on old SDK/);
    assert.match(
      error.message,
      /compiled by HTP_QTI_AISW v2\.51\S* \(QNN 2\.40\.0\) for SoC 60, the library here is HTP_QTI_AISW v2\.47/,
    );
  } finally {
    backend.close();
  }
});

always.run();
