/** Drives Qualcomm's HTP compiler in this process: validates, builds and finalizes graphs, writes and checks the binary. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { QnnGraph } from "../codegen/qnn/index.ts";
import { type Backend, type Context, loadBackend, mapFile, type Weights } from "../runtime/addon.ts";
import { writeBinary } from "../runtime/binary-file.ts";
import { readDdrSummary } from "./ddr-summary.ts";
import { explainFinalize } from "./finalize-error.ts";
import { versionOf } from "./library-version.ts";
import { checkReadBack } from "./read-back.ts";
import { refusalError } from "./refusals.ts";
import { readSimulated } from "./simulated-cost.ts";
import type { Job, JobResult, PreparedGraph } from "./types.ts";

/** Where the context of one graph is saved. */
export const ownBinary = (folder: string, graph: string): string => join(folder, `${graph}.bin`);

/** Called before each piece of work. */
export type OnWork = (work: "validating" | "compiling" | "saving", graph?: string) => void;

/**
 * Compiles the graphs of a job. Every node of every graph is validated before the first graph is built.
 * @throws HeddleError or QnnError naming node and line, graph or file; the binary's file is then not there or not whole.
 */
export async function buildContext(job: Job, onWork: OnWork = () => {}): Promise<JobResult> {
  // The DDR summary is printed at level info.
  const backend = loadBackend(job.library, { soc: job.soc, logLevel: "info" });
  const weights = mapFile(job.weights);
  try {
    const graphs = job.graphs.map(({ file }) => JSON.parse(readFileSync(file, "utf8")) as QnnGraph);
    for (const graph of graphs) validate(backend, graph, weights.mapping, onWork);
    const library = versionOf(backend);
    if (job.binary === undefined)
      return { library, graphs: await costs(job, backend, graphs, weights.mapping, onWork) };

    const context = createContext(job, backend);
    const prepared: PreparedGraph[] = [];
    for (const graph of graphs) prepared.push(await finalize(job, backend, context, graph, weights.mapping, onWork));
    onWork("saving");
    const binary = writeBinary(job.binary, await context.save());
    checkReadBack(job.binary, backend.describeBinary(job.binary), graphs, job.soc);
    return { library, graphs: prepared, binary };
  } finally {
    backend.close();
    weights.close();
  }
}

function validate(backend: Backend, graph: QnnGraph, weights: Weights, onWork: OnWork): void {
  onWork("validating", graph.graph);
  const refused = backend.refusals(graph, weights);
  if (refused.length > 0) throw refusalError(graph, refused);
}

/** Each graph alone, so that one is out of memory before the next. */
async function costs(job: Job, backend: Backend, graphs: readonly QnnGraph[], weights: Weights, onWork: OnWork) {
  const prepared: PreparedGraph[] = [];
  for (const graph of graphs) {
    const context = createContext(job, backend);
    try {
      const costed = await finalize(job, backend, context, graph, weights, onWork);
      if (job.binaries === undefined) prepared.push(costed);
      else
        prepared.push({ ...costed, binary: writeBinary(ownBinary(job.binaries, graph.graph), await context.save()) });
    } finally {
      context.close();
    }
  }
  return prepared;
}

const createContext = (job: Job, backend: Backend): Context =>
  backend.createContext({ prepareOnly: true, ...(job.weightSharing && { weightSharing: true }) });

async function finalize(
  { graphs, optimization, vtcm, soc }: Job,
  backend: Backend,
  context: Context,
  graph: QnnGraph,
  weights: Weights,
  onWork: OnWork,
): Promise<PreparedGraph> {
  onWork("compiling", graph.graph);
  const own = graphs.find((g) => g.name === graph.graph)?.optimization;
  const built = context.addGraph(graph, weights, { optimization: own ?? optimization, vtcm });
  backend.takeLog();
  const start = performance.now();
  try {
    await context.finalize({ profile: "detailed" });
  } catch (e) {
    throw explainFinalize(e, graph, soc);
  }
  const finalizeMs = performance.now() - start;
  const ddr = readDdrSummary(backend.takeLog());
  const simulated = readSimulated(built.profile().finalize);
  return { name: graph.graph, finalizeMs, ...(ddr && { ddr }), ...(simulated && { simulated }) };
}
