/**
 * Entry points of a build as executable graphs, each made ready when it is first used: built from its JSON over weights that are
 * mapped once for all, or, on the NPU and its simulator, taken from the build's context binary.
 */
import { simulatorBinary } from "../htp/simulator-binary.ts";
import { rethrow } from "../ir/error.ts";
import { type Backend, type Context, type Graph, mapFile, type ProfileEvent } from "./addon.ts";
import type { ArrayExecutor } from "./aie/executor.ts";
import { StepGraph } from "./aie/step-graph.ts";
import { BoundGraph } from "./bound-graph.ts";
import { type BuildFolder, readJson, weightsOf } from "./build-folder.ts";
import type { Entry, EntryGraph, Graphs } from "./entry-graph.ts";
import { checkContext, loadContext, needsOwnContext, retrieve } from "./loaded-context.ts";
import type { Counters } from "./statistics.ts";

export interface EntryGraphOptions {
  /** Measure what the reference backend spends on appending to caches. */
  readonly profiled?: boolean;
  /** Told what is being compiled where that takes long; nothing, when it is done. */
  readonly onStep?: ((text: string | undefined) => void) | undefined;
  /** Runs the designs of a build for an AIE array. */
  readonly executor?: ArrayExecutor | undefined;
}

export class EntryGraphs implements Graphs {
  readonly #build: BuildFolder;
  readonly #backend: Backend;
  readonly #counters: Counters;
  readonly #profiled: boolean;
  readonly #executor: ArrayExecutor | undefined;
  readonly #onStep: ((text: string | undefined) => void) | undefined;
  /** Nothing on the NPU and its simulator, which load context binaries. */
  readonly #weights: ReturnType<typeof mapFile> | undefined;
  #loaded: Promise<Context> | undefined;
  #checked = false;
  readonly #graphs = new Map<Entry, Promise<EntryGraph>>();
  readonly #contexts: Context[] = [];
  readonly #built: { bindCaches: BoundGraph["bindCaches"]; close(): void }[] = [];

  constructor(build: BuildFolder, backend: Backend, counters: Counters, options: EntryGraphOptions = {}) {
    this.#build = build;
    this.#backend = backend;
    this.#counters = counters;
    this.#profiled = (options.profiled ?? false) && isReference(backend);
    this.#executor = options.executor;
    this.#onStep = options.onStep;
    this.#weights = isHtp(backend) ? undefined : mapFile(weightsOf(build));
  }

  get(entry: Entry): Promise<EntryGraph> {
    const known = this.#graphs.get(entry);
    if (known) return known;
    const graph = this.#create(entry);
    this.#graphs.set(entry, graph);
    // What failed may succeed the next time, when there is memory again.
    graph.catch(() => this.#graphs.delete(entry));
    return graph;
  }

  forgetCaches(): void {
    for (const graph of this.#built) graph.bindCaches({});
  }

  close(): void {
    for (const graph of this.#built) graph.close();
    for (const context of this.#contexts) context.close();
    this.#weights?.close();
  }

  async #create(entry: Entry): Promise<EntryGraph> {
    const start = performance.now();
    if (this.#executor) {
      const steps = await StepGraph.open(this.#build, entry, this.#backend, this.#weights!, this.#executor);
      this.#counters.built(entry.name, performance.now() - start);
      this.#built.push(steps);
      return steps;
    }
    const graph = isHtp(this.#backend) ? await this.#retrieve(entry) : await this.#compile(entry);
    this.#counters.built(entry.name, performance.now() - start);
    const bound = new BoundGraph(entry, graph);
    this.#built.push(bound);
    const run: EntryGraph["run"] = async (caches) => {
      bound.bindCaches(caches);
      await graph.execute({}, {}, this.#profiled ? { profile: "detailed" } : {});
      if (this.#profiled && entry.state.length > 0) this.#counters.appended("graph", appendMs(graph.profile().execute));
    };
    return { entry, inputs: bound.inputs, outputs: bound.outputs, run };
  }

  async #retrieve(entry: Entry): Promise<Graph> {
    const keep = (context: Context) => {
      this.#contexts.push(context);
      return context;
    };
    if (needsOwnContext(this.#build)) {
      // It is not what the simulator runs, but a run here is the test of what is copied to the device.
      if (!this.#checked) checkContext(this.#build, this.#backend);
      this.#checked = true;
      const compiling = simulatorBinary(this.#build, entry.name, entry.graph, this.#onStep);
      const file = await compiling.finally(() => this.#onStep?.(undefined));
      return retrieve(keep(await this.#backend.loadContext(file)), entry, file);
    }
    this.#loaded ??= loadContext(this.#build, this.#backend).then(keep);
    // What failed may succeed the next time, when there is memory again.
    this.#loaded.catch(() => (this.#loaded = undefined));
    return retrieve(await this.#loaded, entry, this.#build.path(this.#build.manifest.context!.file));
  }

  async #compile(entry: Entry): Promise<Graph> {
    const file = this.#build.path(entry.graph);
    const description = readJson(file);
    const context = this.#backend.createContext(isReference(this.#backend) ? { borrowStatic: true } : {});
    try {
      const graph = context.addGraph(description, this.#weights!.mapping);
      await context.finalize();
      this.#contexts.push(context);
      return graph;
    } catch (e) {
      context.close();
      return rethrow(e, { subject: file });
    }
  }
}

const isHtp = (backend: Backend): boolean => backend.provider === "HTP_QTI_AISW";
const isReference = (backend: Backend): boolean => backend.provider === "HEDDLE_REFERENCE";

/** The reference backend calls the event of a node `name (OpType)` and measures it in microseconds. */
const appendMs = (events: readonly ProfileEvent[]): number =>
  events.reduce((ms, e) => ms + (e.identifier.endsWith("(KvAppend)") ? e.value / 1000 : 0) + appendMs(e.children), 0);
