/** Runs any graph of bound sizes on the reference backend, without a build folder: for calibration, reports and tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { qnnReference } from "../../codegen/qnn/index.ts";
import { WeightTable } from "../../codegen/weights.ts";
import { writeWeights } from "../../codegen/weights-file.ts";
import type { Graph } from "../../ir/graph.ts";
import { type DType, elements, type TensorType } from "../../ir/type.ts";
import { type BackendOptions, mapFile } from "../../runtime/addon.ts";
import { openBackend } from "../../runtime/libraries.ts";
import type { WeightSource } from "../../weights/source.ts";

export type GraphArray = Float32Array | Int32Array | Uint16Array | Uint8Array | Int8Array;

/** Values of inputs by name, those left out as they were; the results are overwritten by the next run. */
export type RunGraph = (inputs?: Readonly<Record<string, ArrayLike<number>>>) => Promise<readonly GraphArray[]>;

const kinds: Partial<Record<DType, new (n: number) => GraphArray>> = {
  f32: Float32Array,
  i32: Int32Array,
  u16: Uint16Array,
  u8: Uint8Array,
  i8: Int8Array,
};

function arrayFor({ dtype, shape }: TensorType): GraphArray {
  const Kind = kinds[dtype];
  if (!Kind) throw new Error(`a value of type ${dtype} cannot be passed to a graph here`);
  return new Kind(elements(shape));
}

/** Builds `g`, hands a runner to `use` and takes everything down again. Caches start as zeros and are kept between runs. */
export async function withGraph<T>(
  g: Graph,
  weights: WeightSource,
  use: (run: RunGraph) => Promise<T>,
  options: BackendOptions = {},
): Promise<T> {
  const table = new WeightTable();
  const plan = qnnReference.plan(qnnReference.legalize(g), table);
  const [artifact] = qnnReference.emit(plan);
  const folder = mkdtempSync(join(tmpdir(), "heddle-run-"));
  const backend = openBackend("reference", undefined, options);
  try {
    const file = join(folder, "weights.bin");
    await writeWeights(table, weights, file);
    const mapped = table.bytes > 0 ? mapFile(file) : undefined;
    const context = backend.createContext({ borrowStatic: mapped !== undefined });
    try {
      const built = context.addGraph(JSON.parse(artifact!.text), mapped?.buffer);
      await context.finalize();
      const inputs = Object.fromEntries(g.inputs.map((n, i) => [plan.inputs[i]!, arrayFor(n.type)]));
      const named = new Map(g.inputs.map((n, i) => [n.name!, inputs[plan.inputs[i]!]!]));
      const outputs = Object.fromEntries(g.outputs.map((n, i) => [plan.outputs[i]!, arrayFor(n.type)]));
      return await use(async (given = {}) => {
        for (const [name, values] of Object.entries(given)) named.get(name)!.set(values);
        await built.execute(inputs, outputs);
        return plan.outputs.map((name) => outputs[name]!);
      });
    } finally {
      context.close();
      mapped?.close();
    }
  } finally {
    backend.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
