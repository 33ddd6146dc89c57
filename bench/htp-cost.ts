/**
 * What Qualcomm's HTP compiler says a graph costs: `npx tsx bench/htp-cost.ts FILE.qnn.json... [--soc 52] [--vtcm 8]
 * [--optimization 3] [--hvx N]` finalizes each graph for a SoC that the simulator has a cost model of, and prints one JSON object per graph.
 * The figures are the vendor's, and the same on every machine; only `finalizeSeconds` depends on the one it runs on.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { mapFile, type ProfileEvent } from "../src/runtime/addon.ts";
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
  /** SOC model; 52 has the architecture of Snapdragon X Elite (v73, 8 MB VTCM) and a cost model. */
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
 * @param description a parsed `<entry>.qnn.json`
 * @throws QnnError naming the node that the compiler refuses
 */
export async function costOnHtp(
  description: { readonly graph: string },
  weights: ArrayBuffer | Uint8Array | undefined,
  { soc = 52, vtcm = 8, optimization = 3, hvxThreads }: HtpOptions = {},
): Promise<HtpCost> {
  const backend = openBackend("htp", undefined, { soc });
  try {
    const context = backend.createContext();
    const options = { vtcm, optimization, ...(hvxThreads !== undefined && { hvxThreads }) };
    const graph = context.addGraph(description, weights, options);
    const start = performance.now();
    await context.finalize({ profile: "detailed" });
    const finalizeSeconds = (performance.now() - start) / 1000;
    const flat = (list: readonly ProfileEvent[]): ProfileEvent[] => list.flatMap((e) => [e, ...flat(e.children)]);
    const all = flat(graph.profile().finalize);
    const figures = Object.entries(events).map(([name, type]) => [name, all.find((e) => e.type === type)?.value ?? 0]);
    return { graph: description.graph, ...Object.fromEntries(figures), finalizeSeconds } as HtpCost;
  } finally {
    backend.close();
  }
}

/** The same for a graph of a build folder. */
export async function costOfFile(file: string, options: HtpOptions = {}): Promise<HtpCost> {
  const description = JSON.parse(readFileSync(file, "utf8")) as { graph: string; weights: string };
  const weights = mapFile(join(dirname(file), description.weights));
  try {
    return await costOnHtp(description, weights.buffer, options);
  } finally {
    weights.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { soc: text, vtcm: text, optimization: text, hvx: text },
  });
  const given = Object.entries({ ...values, hvxThreads: values.hvx }).filter(
    ([k, v]) => k !== "hvx" && v !== undefined,
  );
  const options = Object.fromEntries(given.map(([k, v]) => [k, Number(v)])) as HtpOptions;
  for (const file of positionals) process.stdout.write(`${JSON.stringify(await costOfFile(file, options))}\n`);
}
