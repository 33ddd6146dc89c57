/** Runs any graph of bound sizes on the reference backend, without a build folder: for calibration, reports and tests. */
import { join } from "node:path";
import type { Backend } from "../../codegen/backend.ts";
import { withTemporaryFolder } from "../../codegen/cleanup.ts";
import { type QnnPlan, qnnReference } from "../../codegen/qnn/index.ts";
import { WeightTable } from "../../codegen/weights.ts";
import { writeWeights } from "../../codegen/weights-file.ts";
import { encodeF16 } from "../../ir/evaluate/round.ts";
import type { Graph } from "../../ir/graph.ts";
import { isFloat } from "../../ir/type.ts";
import { type BackendOptions, mapFile } from "../../runtime/addon.ts";
import { type BackendName, openBackend } from "../../runtime/libraries.ts";
import type { WeightSource } from "../../weights/source.ts";

export type GraphArray = Float32Array | Int32Array | Uint16Array | Uint8Array | Int8Array;

/** Values of inputs by name, those left out as they were; the results are overwritten by the next run. */
export type RunGraph = (inputs?: Readonly<Record<string, ArrayLike<number>>>) => Promise<readonly GraphArray[]>;

export interface RunOptions extends BackendOptions {
  /** The code generator. Default that of the reference backend. */
  readonly generator?: Backend<QnnPlan>;
  /** The library that runs what it generates. */
  readonly library?: BackendName;
}

const kinds: Readonly<Record<string, new (n: number) => GraphArray>> = {
  FLOAT_32: Float32Array,
  INT_32: Int32Array,
  // Halves as their bits; inputs are given as numbers.
  FLOAT_16: Uint16Array,
  UFIXED_POINT_16: Uint16Array,
  UFIXED_POINT_8: Uint8Array,
  SFIXED_POINT_8: Int8Array,
};

/** Memory for inputs or outputs of a plan, by name. */
function arraysFor(plan: QnnPlan, names: readonly string[]): Record<string, GraphArray> {
  return Object.fromEntries(
    names.map((name) => {
      const { dataType, dims } = plan.tensors.find((t) => t.name === name)!;
      return [name, new kinds[dataType]!(dims.reduce((n, d) => n * d, 1))];
    }),
  );
}

/** The outputs of a plan; where `g` yields floats that the plan has in pieces of integers, these are joined and scaled. */
function resultsOf(g: Graph, plan: QnnPlan, outputs: Readonly<Record<string, GraphArray>>): readonly GraphArray[] {
  const slices = new Set(plan.state.map((s) => s.slice));
  const own = plan.outputs
    .filter((name) => !slices.has(name))
    .map((name) => plan.tensors.find((t) => t.name === name)!);
  const [first] = g.outputs;
  if (g.outputs.length > 1 || !isFloat(first!.type.dtype) || own.some((t) => t.dataType !== "UFIXED_POINT_16"))
    return plan.outputs.map((name) => outputs[name]!);
  const floats = own.flatMap(({ name, quantize }) => {
    const { scale, offset } = quantize as Extract<typeof quantize, { readonly scale: number }>;
    return Array.from(outputs[name]!, (q) => (q + offset) * scale);
  });
  return [Float32Array.from(floats), ...plan.outputs.filter((name) => slices.has(name)).map((name) => outputs[name]!)];
}

/** Builds `g`, hands a runner to `use` and takes everything down again. Caches start as zeros and are kept between runs. */
export async function withGraph<T>(
  g: Graph,
  weights: WeightSource,
  use: (run: RunGraph) => Promise<T>,
  { generator = qnnReference, library = "reference", ...options }: RunOptions = {},
): Promise<T> {
  const table = new WeightTable();
  const plan = generator.plan(generator.legalize(g), table);
  const [artifact] = generator.emit(plan);
  return withTemporaryFolder("run", async (folder) => {
    const backend = openBackend(library, undefined, options);
    try {
      const file = join(folder, "weights.bin");
      await writeWeights(table, weights, file);
      const mapped = table.bytes > 0 ? mapFile(file) : undefined;
      const borrowStatic = library === "reference" && mapped !== undefined;
      const context = backend.createContext(borrowStatic ? { borrowStatic } : {});
      try {
        const built = context.addGraph(JSON.parse(artifact!.text), mapped?.mapping);
        await context.finalize();
        const inputs = arraysFor(plan, plan.inputs);
        const typeOf = (name: string) => plan.tensors.find((t) => t.name === name)!.dataType;
        const named = new Map(
          g.inputs.map((n, i) => {
            const name = plan.inputs[i]!;
            return [n.name!, { array: inputs[name]!, dataType: typeOf(name) }];
          }),
        );
        const outputs = arraysFor(plan, plan.outputs);
        return await use(async (given = {}) => {
          for (const [name, values] of Object.entries(given)) {
            const { array, dataType } = named.get(name)!;
            array.set(dataType === "FLOAT_16" ? encodeF16(Float32Array.from(values)) : values);
          }
          await built.execute(inputs, outputs);
          return resultsOf(g, plan, outputs);
        });
      } finally {
        context.close();
        mapped?.close();
      }
    } finally {
      backend.close();
    }
  });
}
