// Body of a worker that loads a backend, runs a graph and closes it, again and again; see addon-process.test.ts.
import { workerData } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const { allocate, loadBackend, release } = await tsImport("../../src/runtime/addon.ts", import.meta.url);
const { description, inputs, weights } = await tsImport("./addon-support.ts", import.meta.url);
for (let i = 0; i < workerData.cycles; i++) {
  const backend = loadBackend(workerData.path);
  const context = backend.createContext();
  const graph = context.addGraph(description(), weights.buffer);
  await context.finalize();
  const memory = allocate(32);
  const run = graph.execute(inputs(), [new Float32Array(memory)]);
  release(memory);
  await run;
  backend.close();
}
