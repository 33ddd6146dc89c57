/**
 * What Qualcomm's HTP compiler says a graph costs: `npm run htp-cost build/<program>/qnn/<entry>.qnn.json` finalizes each graph for a SoC
 * that the simulator has a cost model of, and prints one JSON object per graph. The figures are the vendor's, and the same on every
 * machine; only `finalizeSeconds` depends on the one it runs on.
 */
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { command, main, type Output } from "../src/cli/support/command.ts";
import { whole } from "../src/cli/support/options.ts";
import type { QnnGraph } from "../src/codegen/qnn/index.ts";
import { explainFinalize } from "../src/htp/finalize-error.ts";
import { xElite, xEliteCosted } from "../src/htp/index.ts";
import { refusalError } from "../src/htp/refusals.ts";
import { HeddleError } from "../src/ir/error.ts";
import { mapFile, type ProfileEvent } from "../src/runtime/addon.ts";
import { readJson } from "../src/runtime/build-folder.ts";
import { openBackend } from "../src/runtime/libraries.ts";

/** Bytes are those of DDR memory; `read` and `written` are inputs, weights and outputs, the rest is what did not fit VTCM. */
export interface HtpCost {
  readonly graph: string;
  readonly us: number;
  readonly cycles: number;
  readonly read: number;
  readonly written: number;
  readonly spilled: number;
  readonly refilled: number;
  /** Ops that the vendor's cost model does not know. */
  readonly uncosted: number;
  readonly finalizeSeconds: number;
}

export interface HtpOptions {
  /** SOC model; default 52, which has the architecture of Snapdragon X Elite (v73, 8 MB VTCM) and a cost model. */
  readonly soc?: number;
  readonly vtcm?: number;
  readonly optimization?: number;
  readonly hvxThreads?: number;
}

/** Types of the events of a detailed profile of `graphFinalize`. */
const events = {
  us: 2019,
  cycles: 2006,
  read: 2011,
  written: 2016,
  spilled: 2013,
  refilled: 2012,
  uncosted: 2017,
} as const;

/**
 * @param graph a parsed `<entry>.qnn.json`
 * @throws HeddleError naming the nodes that the validator refuses, or QnnError naming the one that the compiler has no code for, with
 *   types, the vendor's log and the line of the graph file where the graph has it
 */
export async function costOnHtp(
  graph: QnnGraph,
  weights: ArrayBuffer | Uint8Array | undefined,
  { soc = xEliteCosted, vtcm = xElite.vtcm, optimization = xElite.optimization, hvxThreads }: HtpOptions = {},
): Promise<HtpCost> {
  const backend = openBackend("htp", undefined, { soc });
  try {
    const refused = backend.refusals(graph, weights);
    if (refused.length > 0) throw refusalError(graph, refused);
    const context = backend.createContext();
    const options = { vtcm, optimization, ...(hvxThreads !== undefined && { hvxThreads }) };
    const built = context.addGraph(graph, weights, options);
    const start = performance.now();
    await context.finalize({ profile: "detailed" }).catch((e) => {
      throw explainFinalize(e, graph, soc);
    });
    const finalizeSeconds = (performance.now() - start) / 1000;
    const flat = (list: readonly ProfileEvent[]): ProfileEvent[] => list.flatMap((e) => [e, ...flat(e.children)]);
    const all = flat(built.profile().finalize);
    const figures = Object.entries(events).map(([name, type]) => [name, all.find((e) => e.type === type)?.value ?? 0]);
    return { graph: graph.graph, ...Object.fromEntries(figures), finalizeSeconds } as HtpCost;
  } finally {
    backend.close();
  }
}

/** The same for a graph of a build folder. @throws HeddleError also where the file is missing or is not a graph. */
export async function costOfFile(file: string, options: HtpOptions = {}): Promise<HtpCost> {
  // Ops are left to the library: a graph by hand may have some that compile does not write.
  const graph = readJson(file) as QnnGraph;
  if (graph?.format !== "heddle.qnn/1")
    throw new HeddleError("is not a QNN graph of Heddle", {
      subject: file,
      hint: "give one that compile wrote, such as build/gpt2-fa2-kv-fused/qnn/decode-256.qnn.json",
    });
  const weights = mapFile(join(dirname(file), graph.weights));
  try {
    return await costOnHtp(graph, weights.buffer, options);
  } finally {
    weights.close();
  }
}

async function run(files: readonly string[], options: HtpOptions, output: Output): Promise<HtpCost[]> {
  const costs: HtpCost[] = [];
  for (const file of files) {
    costs.push(await costOfFile(file, options));
    output.print(`${JSON.stringify(costs.at(-1))}\n`);
  }
  return costs;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await main(
    command("htp-cost <graph...> -- [options]", "Says what Qualcomm's compiler reckons that a run of a graph costs.", [
      "htp-cost build/gpt2-fa2-kv-fused/qnn/decode-256.qnn.json -- --optimization 2",
    ])
      .argument("<graph...>", "graphs of a build for x-elite")
      .option("--soc <model>", "machine that the simulator has costs of", whole(0), xEliteCosted)
      .option("--vtcm <megabytes>", "fast memory of the NPU", whole(1), xElite.vtcm)
      .option("--optimization <level>", "effort of the compiler", whole(1, 3), xElite.optimization)
      .option("--hvx-threads <n>", "vector threads (default: those of the machine)", whole(1)),
    run,
  );
