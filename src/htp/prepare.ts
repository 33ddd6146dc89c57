/**
 * QNN graphs to one context binary for a SoC, with what a run of each costs. The binary is compiled for the SoC that is asked for;
 * simulated times come from a second compilation for a SoC of the same architecture that the vendor's simulator has costs
 * for. The two run side by side where there are cores and memory, and are looked up where nothing changed.
 */
import { readFileSync, rmSync } from "node:fs";
import { type BinaryFile, hashBinary } from "../runtime/binary-file.ts";
import { findLibrary } from "../runtime/libraries.ts";
import { ownBinary } from "./build-context.ts";
import { type CacheOptions, ContextCache, cacheKey, graphFingerprint } from "./cache.ts";
import { libraryVersion } from "./library-version.ts";
import { costingLanes } from "./memory.ts";
import { runJobs } from "./run-jobs.ts";
import type { GraphFile, HtpOptions, Job, JobResult, LibraryVersion, PreparedGraph } from "./types.ts";

export interface PrepareRequest {
  readonly graphs: readonly GraphFile[];
  /** Path of the weights that the graphs share. */
  readonly weights: string;
  /** Hash of the weights where it is known already. */
  readonly weightsSha256?: string;
  /** Where the context binary goes: a path that does not exist yet. Without it only the costs are found. */
  readonly binary?: string;
  /** Default `x-elite` at the best level: SoC 60, optimization 3, 8 MB of VTCM, shared weights. */
  readonly options?: Partial<HtpOptions>;
  /** SoC to simulate costs for, default 52; null for no simulation. */
  readonly costedSoc?: number | null;
  /** Path of the backend library; default what `findLibrary` finds. */
  readonly library?: string;
  /** False to compile in any case, and to keep nothing. */
  readonly cache?: boolean | CacheOptions;
  readonly onStep?: (text: string) => void;
}

export interface Prepared {
  readonly options: HtpOptions;
  /** Where the simulated costs come from. */
  readonly costedSoc: number | undefined;
  readonly library: LibraryVersion;
  /** In the order of the request. */
  readonly graphs: readonly PreparedGraph[];
  readonly binary?: BinaryFile;
  /** Whether nothing had to be compiled. */
  readonly cached: boolean;
}

/** Snapdragon X Elite at its best. */
export const xElite: HtpOptions = { soc: 60, optimization: 3, vtcm: 8, weightSharing: true };
export const xEliteCosted = 52;

/**
 * @throws HeddleError where the library is missing, a node is refused (with line, types, the vendor's log and what to try), a graph
 *   cannot be finalized, or the binary does not read back as it should. `binary` is then not there.
 */
export async function prepareContext(request: PrepareRequest): Promise<Prepared> {
  const { graphs, weights, binary, onStep = () => {} } = request;
  const options = { ...xElite, ...request.options };
  const costedSoc = request.costedSoc === null ? undefined : (request.costedSoc ?? xEliteCosted);
  const path = request.library ?? findLibrary("htp");
  const library = libraryVersion(path);
  const cache = openCache(request.cache);
  const common = { ...options, library: path, weights };
  const keys = cache && cacheKeys({ ...request, options, costedSoc, library });

  const held = binary !== undefined && cache ? cache.take(keys!.context, binary) : undefined;
  const costs = new Map<string, PreparedGraph>();
  for (const { name } of costedSoc === undefined ? [] : graphs) {
    const known = cache?.take(keys!.costs.get(name)!)?.graphs[0];
    if (known) costs.set(name, known);
  }
  const target: Job[] = binary === undefined || held ? [] : [{ ...common, graphs, binary }];
  const uncosted = costedSoc === undefined ? [] : graphs.filter((g) => !costs.has(g.name));
  const scratch = uncosted.length > 0 ? cache?.scratch() : undefined;
  const costing: Job = {
    ...common,
    soc: costedSoc ?? options.soc,
    weightSharing: false,
    graphs: uncosted,
    ...(scratch !== undefined && { binaries: scratch }),
  };
  const { lanes, beside } = costingLanes(costing, target[0]);
  const processes = beside ? lanes + target.length : 1;
  // Graphs are costed one by one, each alone in its context, so that one more bucket costs one more graph.
  const parts = Array.from({ length: Math.min(lanes, uncosted.length) }, (_, lane) => ({
    ...costing,
    graphs: uncosted.filter((_, i) => i % lanes === lane),
  }));
  try {
    const results = await runJobs([...target, ...parts], processes, onStep);
    const compiled: JobResult | undefined = held ?? results[target.length - 1];
    if (target.length > 0) cache?.put(keys!.context, compiled!, binary);
    for (const { binary: own, ...graph } of results.slice(target.length).flatMap((r) => r.graphs)) {
      costs.set(graph.name, graph);
      const result = { library, graphs: [graph], ...(own && { binary: own }) };
      if (own) cache!.put(keys!.costs.get(graph.name)!, result, ownBinary(scratch!, graph.name));
    }
    return {
      options,
      costedSoc,
      library,
      graphs: graphs.map(({ name }) =>
        merge(
          compiled?.graphs.find((g) => g.name === name),
          costs.get(name),
        ),
      ),
      ...(compiled?.binary && { binary: compiled.binary }),
      cached: results.length === 0,
    };
  } catch (e) {
    if (binary !== undefined) rmSync(binary, { force: true });
    throw e;
  } finally {
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

export const openCache = (choice: PrepareRequest["cache"]): ContextCache | undefined =>
  choice === false ? undefined : new ContextCache(choice === true ? {} : choice);

/** Keys of the context of all graphs, and of the costs and own context of each. */
export function cacheKeys(request: {
  readonly graphs: readonly GraphFile[];
  readonly weights: string;
  readonly weightsSha256?: string;
  readonly options: HtpOptions;
  readonly costedSoc: number | undefined;
  readonly library: LibraryVersion;
}): { readonly context: string; readonly costs: ReadonlyMap<string, string> } {
  const { graphs, options, costedSoc, library } = request;
  const common = { library, weights: request.weightsSha256 ?? hashBinary(request.weights).sha256 };
  const prints = graphs.map(
    ({ name, file, optimization = options.optimization }) =>
      [name, graphFingerprint(readFileSync(file, "utf8")), optimization] as const,
  );
  const alone = (optimization: number) => ({ ...options, optimization, soc: costedSoc, weightSharing: false });
  return {
    context: cacheKey({ ...common, options, graphs: prints }),
    costs: new Map(prints.map((print) => [print[0], cacheKey({ ...common, options: alone(print[2]), graph: print })])),
  };
}

/** The graph as compiled for the target, with the time that it was simulated to take. */
function merge(target: PreparedGraph | undefined, costed: PreparedGraph | undefined): PreparedGraph {
  const graph = (target ?? costed)!;
  return costed?.simulated ? { ...graph, simulated: costed.simulated } : graph;
}
