/** Ends that are not tidy: exit during a run, workers that are terminated, objects left to the garbage collector. */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { backends } from "./addon-support.ts";

const test = suite("addon process");

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Runs TypeScript in a process of its own; fails unless it ends by itself with code 0 and prints `done`. */
function script(body: string, path: string): void {
  const source = `
    import { loadBackend, allocate } from "${folder}../../src/runtime/addon.ts";
    import { description, inputs, weights } from "${folder}addon-support.ts";
    const path = ${JSON.stringify(path)};
    async function make() {
      const backend = loadBackend(path);
      const context = backend.createContext();
      const graph = context.addGraph(description(), weights.buffer);
      await context.finalize();
      return { backend, context, graph };
    }
    const y = () => new Float32Array(8);
    ${body}`;
  const run = spawnSync(process.execPath, ["--expose-gc", "--import", "tsx", "--input-type=module", "-e", source], {
    encoding: "utf8",
    timeout: 120_000,
  });
  assert.is(run.signal, null, `ended by ${run.signal}\n${run.stderr}`);
  assert.is(run.status, 0, run.stderr);
  assert.is(run.stdout.trim(), "done", run.stderr);
}

for (const { name, path } of backends) {
  test(`${name}: the process exits while graphs run and nothing was closed`, () => {
    script(
      `const { graph } = await make();
       for (let i = 0; i < 50; i++) graph.execute(inputs(), [y()]);
       await graph.execute(inputs(), [y()]);
       for (let i = 0; i < 50; i++) graph.execute(inputs(), [y()]);
       console.log("done");
       process.exit(0);`,
      path,
    );
  });

  test(`${name}: the garbage collector frees in any order`, () => {
    script(
      `for (let i = 0; i < 8; i++) {
         let { graph } = await make();
         globalThis.gc();
         await graph.execute(inputs(), [y()]);
         const running = graph.execute(inputs(), [y()]);
         graph = undefined;
         globalThis.gc();
         await running;
         globalThis.gc();
         await new Promise((resolve) => setTimeout(resolve, 5));
       }
       console.log("done");`,
      path,
    );
  });

  test(`${name}: closing everything at once while runs are queued`, () => {
    script(
      `for (let i = 0; i < 4; i++) {
         const { backend, graph } = await make();
         const runs = Array.from({ length: 10 }, () => graph.execute(inputs(), [y()]));
         backend.close();
         const ends = await Promise.allSettled(runs);
         if (ends[0].status !== "fulfilled" || ends[9].status !== "rejected") throw new Error(JSON.stringify(ends));
       }
       console.log("done");`,
      path,
    );
  });

  test(`${name}: a worker is terminated while its graph runs`, () => {
    script(
      `const { Worker } = await import("node:worker_threads");
       for (let i = 0; i < 3; i++) {
         const file = new URL("file://${folder}addon-worker.mjs");
         const worker = new Worker(file, { workerData: path, execArgv: [] });
         await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
         await worker.terminate();
       }
       const { graph, backend } = await make();
       await graph.execute(inputs(), [y()]);
       backend.close();
       console.log("done");`,
      path,
    );
  });
}

for (const { path } of backends.filter((b) => b.name === "reference")) {
  test("two workers and the main thread load, run and close at the same time", () => {
    // That "done" arrives is a part of the test: loading diverts standard output for a moment.
    script(
      `const { Worker } = await import("node:worker_threads");
       const file = new URL("file://${folder}addon-worker-cycles.mjs");
       const cycles = 150;
       const ends = [1, 2].map(() => new Promise((resolve, reject) => {
         new Worker(file, { workerData: { path, cycles }, execArgv: [] }).once("exit", resolve).once("error", reject);
       }));
       for (let i = 0; i < cycles; i++) {
         const { graph, backend } = await make();
         await graph.execute(inputs(), [y()]);
         backend.close();
       }
       const codes = await Promise.all(ends);
       console.log(codes.join() === "0,0" ? "done" : codes);`,
      path,
    );
  });

  test("a context that is forgotten while it is saved keeps the weights it borrowed", () => {
    script(
      `const { mapFile } = await import("${folder}../../src/runtime/addon.ts");
       const { writeFileSync, rmSync } = await import("node:fs");
       const file = "${join(tmpdir(), "heddle-borrowed-")}" + process.pid;
       const rows = 1 << 21;
       writeFileSync(file, new Uint8Array(rows * 32).fill(1));
       process.on("exit", () => rmSync(file));
       const d = description();
       d.tensors = [
         { name: "i", type: "APP_WRITE", dataType: "INT_32", dims: [1] },
         { name: "w", type: "STATIC", dataType: "FLOAT_32", dims: [rows, 8], data: { offset: 0, bytes: rows * 32 } },
         { name: "y", type: "APP_READ", dataType: "FLOAT_32", dims: [1, 8] },
       ];
       const axis = { name: "axis", scalar: { dataType: "INT_32", value: 0 } };
       d.nodes = [{ name: "g", package: "qti.aisw", type: "Gather", params: [axis], inputs: ["w", "i"], outputs: ["y"] }];
       [d.inputs, d.outputs] = [["i"], ["y"]];
       async function save() {
         const context = loadBackend(path).createContext({ borrowStatic: true });
         const mapped = mapFile(file);
         context.addGraph(d, mapped.buffer);
         await context.finalize();
         mapped.close();
         return [context.save()];
       }
       for (let i = 0; i < 3; i++) {
         const [saved] = await save();
         for (let k = 0; k < 3; k++) {
           globalThis.gc();
           await new Promise(setImmediate);
         }
         const binary = await saved;
         if (binary.length < rows * 32 || binary.at(-1) !== 1) throw new Error("lost");
       }
       console.log("done");`,
      path,
    );
  });
}

test.run();
