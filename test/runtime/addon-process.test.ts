/** Ends that are not tidy: exit during a run, workers that are terminated, objects left to the garbage collector. */
import { spawnSync } from "node:child_process";
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

test.run();
