// Body of a worker that runs a graph until it is terminated; see addon-process.test.ts.
import { parentPort, workerData } from "node:worker_threads";
import { tsImport } from "tsx/esm/api";

const { loadBackend } = await tsImport("../../src/runtime/addon.ts", import.meta.url);
const { description, inputs, weights } = await tsImport("./addon-support.ts", import.meta.url);
const context = loadBackend(workerData).createContext();
const graph = context.addGraph(description(), weights.buffer);
await context.finalize();
const run = () => graph.execute(inputs(), [new Float32Array(8)]);
await run();
parentPort.postMessage("running");
for (;;) await Promise.all([run(), run(), run()]);
