/**
 * An entry point that runs in steps: kernels on an array and graphs on the reference backend, one after the other, handing on
 * values in memory of their own. To a session it is an entry point like any other.
 */
import { checkSteps, type KernelEntry, type StepBuffer, type StepsFile } from "../../codegen/mlir-aie/steps.ts";
import { HeddleError, parseLoc, rethrow } from "../../ir/error.ts";
import { allocate, type Backend, type Context, type Graph, type MappedFile, release } from "../addon.ts";
import { type BuildFolder, readJson } from "../build-folder.ts";
import type { Entry, EntryGraph } from "../entry-graph.ts";
import { type BufferArray, bufferArray, bytesPerElement, type HostArray, place, take } from "./convert.ts";
import type { ArrayExecutor, OpenKernel } from "./executor.ts";

const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

type Step = () => Promise<void>;

export class StepGraph implements EntryGraph {
  readonly entry: Entry;
  readonly inputs: Readonly<Record<string, Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>>;
  readonly outputs: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly #weights: MappedFile;
  readonly #values = new Map<string, HostArray>();
  readonly #context: Context;
  readonly #graphs: { readonly graph: Graph; readonly caches: readonly { tensor: string; value: string }[] }[] = [];
  readonly #kernels: OpenKernel[] = [];
  readonly #steps: Step[] = [];
  #caches: Readonly<Record<string, Uint8Array>> = {};

  private constructor(entry: Entry, file: StepsFile, backend: Backend, weights: MappedFile) {
    this.entry = entry;
    this.#weights = weights;
    this.#context = backend.createContext({ borrowStatic: true });
    const own = entry.inputs.filter((p) => p.role !== "cache");
    this.inputs = Object.fromEntries(
      own.map((p) => [p.name, new (p.role === "hidden" ? Float32Array : Int32Array)(allocate(4 * size(p.shape)))]),
    );
    this.outputs = Object.fromEntries(
      entry.outputs.map((p) => [p.name, new Float32Array(allocate(4 * size(p.shape)))]),
    );
    for (const [name, array] of [...Object.entries(this.inputs), ...Object.entries(this.outputs)])
      this.#values.set(name, array);
    for (const { name, dtype, shape } of file.values) {
      const memory = allocate(size(shape) * (dtype === "bool" ? 1 : 4));
      const type = dtype === "f32" ? Float32Array : dtype === "i32" ? Int32Array : Uint8Array;
      this.#values.set(name, new type(memory));
    }
  }

  /** @throws HeddleError (rejects) for a damaged steps file, a design that cannot be executed, or a graph that is refused. */
  static async open(
    build: BuildFolder,
    entry: Entry,
    backend: Backend,
    weights: MappedFile,
    executor: ArrayExecutor,
  ): Promise<StepGraph> {
    const path = build.path(entry.graph);
    const file = readJson(path);
    checkSteps(file, path);
    const graph = new StepGraph(entry, file, backend, weights);
    try {
      await graph.#load(build, file, executor);
      return graph;
    } catch (e) {
      graph.close();
      return rethrow(e, { subject: path });
    }
  }

  async run(caches: Readonly<Record<string, Uint8Array>>): Promise<void> {
    if (caches !== this.#caches) this.bindCaches(caches);
    for (const step of this.#steps) await step();
  }

  /** Uses these caches from now on; `{}` lets go of them. */
  bindCaches(caches: Readonly<Record<string, Uint8Array>>): void {
    for (const { graph, caches: ports } of this.#graphs)
      for (const { tensor, value } of ports)
        if (caches[value]) graph.bind(tensor, caches[value]);
        else if (this.#caches[value]) graph.unbind(tensor);
    this.#caches = caches;
  }

  close(): void {
    for (const kernel of this.#kernels) kernel.close();
    this.#context.close();
    for (const array of this.#values.values()) release(array.buffer as ArrayBuffer);
    this.#values.clear();
  }

  async #load(build: BuildFolder, file: StepsFile, executor: ArrayExecutor): Promise<void> {
    const isCache = (value: string) => this.entry.inputs.some((p) => p.role === "cache" && p.name === value);
    const kernels = new Map<string, OpenKernel>();
    for (const step of file.steps) {
      if (step.kind === "kernel") {
        const listed = file.kernels.find((k) => k.name === step.kernel)!;
        const opened =
          kernels.get(step.kernel) ??
          (await executor.open({
            name: step.kernel,
            file: build.path(listed.file),
            buffers: step.buffers.map((b) => ({
              bytes: size(b.shape) * bytesPerElement(b.dtype),
              direction: "weights" in b ? "in" : b.direction,
            })),
          }));
        if (!kernels.has(step.kernel)) this.#kernels.push(opened);
        kernels.set(step.kernel, opened);
        this.#steps.push(this.#kernelStep(step, opened));
        continue;
      }
      const graph = this.#context.addGraph(readJson(build.path(step.graph)), this.#weights.mapping);
      const ports = [...step.inputs, ...step.outputs];
      this.#graphs.push({ graph, caches: ports.filter((p) => isCache(p.value)) });
      for (const { tensor, value } of ports) if (!isCache(value)) graph.bind(tensor, this.#value(value, step.graph));
      this.#steps.push(() => graph.execute());
    }
    await this.#context.finalize();
  }

  /** Converts, runs, converts back. */
  #kernelStep(step: KernelEntry, kernel: OpenKernel): Step {
    const arrays = step.buffers.map((b) => this.#buffer(b));
    const each = (direction: "in" | "out", act: (array: BufferArray, b: ValueBuffer) => void) => {
      for (const [i, b] of step.buffers.entries()) if ("value" in b && b.direction === direction) act(arrays[i]!, b);
    };
    return async () => {
      each("in", (array, b) => place(this.#value(b.value, step.op), b.valueShape, array, b.shape, b.tiling, b.fixed));
      try {
        await kernel.run(arrays);
      } catch (e) {
        rethrow(e, { subject: `${step.op} (${step.kernel})`, loc: parseLoc(step.loc) });
      }
      each("out", (array, b) => take(array, b.shape, this.#value(b.value, step.op), b.valueShape, b.tiling));
    };
  }

  #buffer(b: StepBuffer): BufferArray {
    const bytes = size(b.shape) * bytesPerElement(b.dtype);
    if (!("weights" in b)) {
      const array = bufferArray(b.dtype, new ArrayBuffer(bytes), 0, bytes);
      array.set(b.behind ?? [], size(b.valueShape));
      return array;
    }
    if (b.weights.bytes !== bytes)
      throw new HeddleError(`a weight of ${b.weights.bytes} bytes for a buffer of ${bytes}`);
    return bufferArray(b.dtype, this.#weights.buffer, b.weights.offset, bytes);
  }

  /** A value between steps, or a cache, which holds f32. */
  #value(name: string, asker: string): HostArray {
    const cache = this.#caches[name];
    if (cache) return new Float32Array(cache.buffer, cache.byteOffset, cache.byteLength / 4);
    const value = this.#values.get(name);
    if (value) return value;
    throw new HeddleError(`reads value ${name}, which no step makes`, { subject: asker });
  }
}

type ValueBuffer = Extract<StepBuffer, { value: string }>;
